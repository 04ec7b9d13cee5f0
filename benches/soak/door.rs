//! One way to the proxy: an address, and TLS or none around what is said there.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::Authority;
use crate::failure::Failure;
use crate::proxy::Addresses;
use crate::request::HOST;

/// What a connection runs on.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket below.
    fn socket(&self) -> &TcpStream;

    /// The certificate that the other side has presented.
    fn presented(&self) -> Option<&CertificateDer<'_>> {
        None
    }
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn presented(&self) -> Option<&CertificateDer<'_>> {
        self.get_ref().1.peer_certificates()?.first()
    }
}

/// A short name for a certificate: the end of its signature.
pub(crate) fn name(certificate: &CertificateDer<'_>) -> String {
    const SHOWN: usize = 8;
    let end = &certificate[certificate.len().saturating_sub(SHOWN)..];
    end.iter().fold(String::new(), |mut name, byte| {
        write!(name, "{byte:02x}").expect("a string takes everything");
        name
    })
}

#[derive(Clone)]
pub(crate) struct Door {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Door {
    /// Opens a connection.
    ///
    /// # Errors
    /// If it is refused, or the handshake fails.
    pub(crate) async fn open(&self) -> Result<Box<dyn Stream>, Failure> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Failure::Timeout,
            io::ErrorKind::ConnectionReset => Failure::Reset,
            _ => Failure::Refused,
        })?;
        // Each request is one write: without this the second half of a long one could wait for a delayed ACK.
        let _ = stream.set_nodelay(true);
        let Some(config) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(HOST).expect("the host is a name");
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        stream.map(|stream| Box::new(stream) as Box<dyn Stream>).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Eof,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Failure::Reset,
            _ => Failure::Wrong,
        })
    }
}

/// All of them.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) plain: Door,
    /// HTTP/1.1 in TLS.
    pub(crate) secure: Door,
    /// HTTP/2 in TLS.
    pub(crate) http2: Door,
}

impl Doors {
    pub(crate) fn new(addresses: Addresses, authority: &Authority) -> anyhow::Result<Doors> {
        let secure = |protocol| {
            let tls = Some(authority.client(&[protocol])?);
            anyhow::Ok(Door { address: addresses.https, tls })
        };
        let plain = Door { address: addresses.http, tls: None };
        Ok(Doors { plain, secure: secure("http/1.1")?, http2: secure("h2")? })
    }
}
