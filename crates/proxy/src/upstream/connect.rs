//! Opening a connection to an endpoint: TCP, and TLS where that is spoken.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use model::Protocol;
use rustix::io::Errno;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::exchange::Exchange;
use super::pool::EndpointPool;
use crate::connection::Client;
use crate::error::Refusal;
use crate::overload::Overload;
use crate::stream::Stream;
use crate::timer::Wait;

/// What a handshake with an endpoint needs.
pub(crate) struct Tls {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new() -> Tls {
        Tls { http1: tls::client_config(&[tls::HTTP_1_1]), http2: tls::client_config(&[tls::HTTP_2]) }
    }

    async fn shake_hands(&self, socket: TcpStream, to: SocketAddr, protocol: Protocol) -> io::Result<Stream> {
        let config = if protocol.is_http2() { &self.http2 } else { &self.http1 };
        let session = TlsConnector::from(Arc::clone(config)).connect(to.ip().into(), socket).await?;
        if protocol.is_http2() && session.get_ref().1.alpn_protocol() != Some(tls::HTTP_2) {
            return Err(io::Error::other("it does not speak HTTP/2"));
        }
        Ok(Stream::Tls(Box::new(session.into())))
    }
}

/// Opens a connection on which HTTP can begin, in whatever time that takes.
///
/// # Errors
/// [`Refusal::Connect`]: nothing was sent, another endpoint may be tried. [`Refusal::Files`]: another
/// would not help.
pub(super) async fn dial(
    to: SocketAddr,
    protocol: Protocol,
    tls: &Tls,
    overload: &Overload,
) -> Result<Stream, Refusal> {
    let socket = TcpStream::connect(to).await.map_err(|error| refusal(overload, &error))?;
    // Requests are written whole; waiting for more to send with them only delays their end.
    let _ = socket.set_nodelay(true);
    if !protocol.is_tls() {
        return Ok(Stream::Plain(socket));
    }
    tls.shake_hands(socket, to, protocol).await.map_err(|error| {
        tracing::debug!(endpoint = %to, %error, "no TLS handshake with the endpoint");
        Refusal::Connect
    })
}

/// Connects for one request of HTTP/1, within the time for that and within what the request has left.
///
/// # Errors
/// As [`dial`]; and [`Refusal::ConnectTimeout`], which another endpoint may not share.
pub(crate) async fn connect(client: &Client, endpoint: &EndpointPool) -> Result<Box<Exchange>, Refusal> {
    let worker = &client.worker;
    let limits = &worker.config.upstream;
    worker.cells.upstream_connects.add(1);
    client.timer.set(Wait::Upstream, limits.connect_timeout);
    let (to, tls) = (endpoint.key.address, worker.upstreams.tls());
    let mut dialling = pin!(dial(to, endpoint.protocol, tls, &worker.overload));
    let connected = std::future::poll_fn(|cx| match dialling.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending if client.timer.expired(Wait::Upstream) || client.timer.expired(Wait::Request) => {
            Poll::Ready(Err(Refusal::ConnectTimeout))
        }
        Poll::Pending => Poll::Pending,
    })
    .await;
    client.timer.clear(Wait::Upstream);
    let exchange = match connected {
        Ok(stream) => Exchange::open(stream, limits.head_bytes_max).await,
        Err(why) => Err(why),
    };
    exchange.inspect_err(|_| worker.cells.upstream_connect_failures.add(1))
}

fn refusal(overload: &Overload, error: &io::Error) -> Refusal {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => {
            overload.files_ran_out();
            Refusal::Files
        }
        _ => Refusal::Connect,
    }
}
