//! What lies between an endpoint's socket and HTTP: a PROXY header, TLS, both or nothing.

use std::cell::{Cell, OnceCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Backend, BackendKey, Protocol, ProxyHeader, UpstreamTls};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tls::{AllCredentials, Credentials};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::Refusal;
use crate::stream::{SessionSocket, Stream};

/// Between two complaints about the endpoints of one backend: often enough for a reader of the log.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// How the endpoints of one backend are spoken to.
pub(crate) struct Transport {
    pub(crate) protocol: Protocol,
    pub(crate) proxy_header: Option<ProxyHeader>,
    /// Whether the endpoint is a Service: whatever it does, the next one behind it may do otherwise.
    pub(crate) by_service: bool,
    tls: UpstreamTls,
    /// What its Secret has, if it names one that has something.
    credentials: Option<Arc<Credentials>>,
    /// What handshakes need, made for the first one. `None` if what is asked for cannot be had.
    config: OnceCell<Option<Arc<ClientConfig>>>,
    /// When it was last told that a handshake came to nothing.
    told: Cell<Option<Instant>>,
}

impl Transport {
    pub(super) fn new(backend: &Backend, all: &AllCredentials, plain: &Defaults) -> Rc<Transport> {
        let BackendKey { namespace, transport, .. } = &backend.key;
        let secret = transport.tls.secret.as_ref();
        let transport = Transport {
            protocol: backend.protocol,
            proxy_header: transport.proxy_header,
            by_service: transport.by_service,
            tls: transport.tls.clone(),
            credentials: secret.and_then(|secret| all.find(namespace, secret)).cloned(),
            config: OnceCell::new(),
            told: Cell::default(),
        };
        if transport.tls == UpstreamTls::default() {
            let _ = transport.config.set(plain.of(backend.protocol));
        }
        Rc::new(transport)
    }

    /// Whether connections that were opened by the other may go on carrying requests. What the Ingress says is the same for
    /// a backend as long as it lasts; what the Service and the Secret say is not.
    pub(super) fn is_as_good_as(&self, other: &Transport) -> bool {
        let same = |(one, two): (&Arc<Credentials>, &Arc<Credentials>)| Arc::ptr_eq(one, two);
        let (ours, others) = (&self.credentials, &other.credentials);
        self.protocol == other.protocol
            && (ours.is_none() == others.is_none() && ours.iter().zip(others).all(same))
    }

    /// Speaks what comes before HTTP.
    ///
    /// # Errors
    /// [`Refusal::Credentials`] before anything is said, [`Refusal::Handshake`] when the endpoint does not do its part.
    pub(super) async fn begin(&self, socket: TcpStream, to: SocketAddr) -> Result<Stream, Refusal> {
        if !self.protocol.is_tls() {
            return Ok(Stream::Plain(socket));
        }
        let config = self.config.get_or_init(|| {
            tls::client_config(alpn(self.protocol), &self.tls, self.credentials.as_deref())
                .filter(|_| self.tls.secret.is_none() || self.credentials.is_some())
        });
        let config = config.as_ref().ok_or(Refusal::Credentials)?;
        self.handshake(config, socket, to).await.map_err(|error| {
            self.complain(to, &error);
            Refusal::Handshake
        })
    }

    /// Requests only say that there was no handshake; why is told here, not for each of them.
    fn complain(&self, to: SocketAddr, error: &io::Error) {
        let now = Instant::now();
        if self.told.get().is_none_or(|told| now.duration_since(told) >= COMPLAINT_INTERVAL) {
            self.told.set(Some(now));
            let name = self.tls.name.as_deref().unwrap_or_default();
            tracing::warn!(endpoint = %to, name, %error, "no TLS handshake with an endpoint");
        }
    }

    async fn handshake(
        &self,
        config: &Arc<ClientConfig>,
        socket: TcpStream,
        to: SocketAddr,
    ) -> io::Result<Stream> {
        let name = match &self.tls.name {
            Some(name) => ServerName::try_from(name.to_string()).map_err(io::Error::other)?,
            None => to.ip().into(),
        };
        let session =
            TlsConnector::from(Arc::clone(config)).connect(name, SessionSocket::new(socket)).await?;
        if self.protocol.is_http2() && session.get_ref().1.alpn_protocol() != Some(tls::HTTP_2) {
            return Err(io::Error::other("it does not speak HTTP/2"));
        }
        Ok(Stream::Tls(Box::new(session.into())))
    }
}

fn alpn(protocol: Protocol) -> &'static [&'static [u8]] {
    if protocol.is_http2() { &[tls::HTTP_2] } else { &[tls::HTTP_1_1] }
}

/// What handshakes need of backends that ask for nothing: made once, since most are such.
pub(super) struct Defaults {
    http1: Option<Arc<ClientConfig>>,
    http2: Option<Arc<ClientConfig>>,
}

impl Defaults {
    pub(super) fn new() -> Defaults {
        let of = |protocol| tls::client_config(alpn(protocol), &UpstreamTls::default(), None);
        Defaults { http1: of(Protocol::Https), http2: of(Protocol::Grpcs) }
    }

    fn of(&self, protocol: Protocol) -> Option<Arc<ClientConfig>> {
        if protocol.is_http2() { self.http2.clone() } else { self.http1.clone() }
    }
}
