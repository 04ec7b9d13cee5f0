//! Where clients come, and what is spoken there.

use std::net::TcpListener;
use std::sync::Arc;

use ipnet::IpNet;
use lifecycle::handover::GivenUp;
use model::Published;
use tls::{AllClientCas, Certificates, Tickets};

/// A listening socket, and what is spoken on it.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The socket. One that is shared closes when the workers are through with it, unless something else keeps it.
    pub socket: Arc<TcpListener>,
    /// What is spoken. Connections keep this, and not the socket, which must close before they do.
    pub protocol: Arc<Protocol>,
    /// Whether it closes: after a handover although this process might still accept again, or because what it is for is
    /// gone.
    pub given_up: GivenUp,
}

impl<S: Into<Arc<TcpListener>>> From<S> for Listener {
    fn from(socket: S) -> Listener {
        Listener { socket: socket.into(), protocol: Arc::default(), given_up: GivenUp::default() }
    }
}

/// What is spoken before HTTP, and which HTTP; by default nothing, and HTTP/1.
#[derive(Clone, Debug, Default)]
pub struct Protocol {
    /// Peers that begin each connection with a PROXY header, version 1 or 2, which says where the client is. Of them it is
    /// demanded; of no other peer it is believed.
    pub proxy_header_from: Vec<IpNet>,
    /// TLS, or plain HTTP if none.
    pub tls: Option<Arc<Tls>>,
    /// Whether a client without TLS may begin with HTTP/2 (h2c by prior knowledge); with TLS, ALPN says.
    pub http2_cleartext: bool,
    /// Whether it is no HTTP at all, and what comes is passed on as the service of TCP at this port of the table says. Then
    /// nothing above counts.
    pub tcp_service: Option<u16>,
}

/// What a listener with TLS needs.
#[derive(Clone, Debug)]
pub struct Tls {
    /// How to shake hands.
    pub config: Arc<rustls::ServerConfig>,
    /// The certificates that `config` chooses from, to know which hosts share one.
    pub certificates: Published<Certificates>,
    /// The tickets of `config`, for hosts that ask clients for a certificate.
    pub tickets: Tickets,
    /// The CA bundles that clients' certificates are verified by. What a route demands has to be here before the table that has
    /// the route is published.
    pub client_cas: Published<AllClientCas>,
}

impl Tls {
    /// These certificates and tickets, and these protocols in ALPN, the preferred one first. No client is verified.
    pub fn new(certificates: Published<Certificates>, tickets: Tickets, protocols: &[&[u8]]) -> Tls {
        let config = tls::server_config(&certificates, &tickets, protocols);
        Tls { config, certificates, tickets, client_cas: Published::new(AllClientCas::default()) }
    }
}
