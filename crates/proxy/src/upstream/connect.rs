//! Opening a connection to an endpoint: TCP, and what comes before HTTP.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::http1::Http1Connection;
use super::pool::EndpointPool;
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::keepalive;
use crate::overload::Overload;
use crate::proxy_header::{self, Origin};
use crate::stream::Stream;
use crate::timer::Wait;

/// Opens a connection on which HTTP can begin, in whatever time that takes; one that is for one client alone has an origin.
///
/// # Errors
/// [`Refusal::Connect`], [`Refusal::Handshake`]: no request was sent, another endpoint may be tried. [`Refusal::Files`],
/// [`Refusal::Credentials`]: another would not help.
pub(super) async fn dial(
    endpoint: &EndpointPool,
    origin: Option<Origin>,
    overload: &Overload,
) -> Result<Stream, Refusal> {
    let socket = dial_socket(endpoint, origin, overload).await?;
    endpoint.transport.begin(socket, endpoint.key.address).await
}

/// The same as far as a PROXY header, if there is one.
async fn dial_socket(
    endpoint: &EndpointPool,
    origin: Option<Origin>,
    overload: &Overload,
) -> Result<TcpStream, Refusal> {
    let mut socket =
        TcpStream::connect(endpoint.key.address).await.map_err(|error| refusal(overload, &error))?;
    // Requests are written whole; waiting for more to send with them only delays their end.
    let _ = socket.set_nodelay(true);
    if let Some(version) = endpoint.transport.proxy_header {
        let header = proxy_header::header(version, origin);
        socket.write_all(&header).await.map_err(|_| Refusal::Connect)?;
    }
    Ok(socket)
}

/// Connects for bytes that are passed on as they are, within this time.
///
/// # Errors
/// [`Refusal::Connect`], [`Refusal::ConnectTimeout`]: another endpoint may be tried. [`Refusal::Files`]: another would not help.
pub(crate) async fn connect_socket(
    client: &Client,
    endpoint: &EndpointPool,
    time: Duration,
) -> Result<TcpStream, Refusal> {
    let Client { worker, timer, .. } = client;
    worker.cells.upstream_connects.add(1);
    timer.set(Wait::Upstream, time);
    let mut dialling = pin!(dial_socket(endpoint, Some(client.origin()), &worker.overload));
    let connected = std::future::poll_fn(|cx| {
        timer.attach(cx);
        match dialling.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending if timer.expired(Wait::Upstream) => Poll::Ready(Err(Refusal::ConnectTimeout)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    timer.clear(Wait::Upstream);
    if let Ok(socket) = &connected {
        let _ = keepalive::watch(socket, worker.config.upstream.keepalive_interval);
    }
    connected.inspect_err(|_| worker.cells.upstream_connect_failures.add(1))
}

/// Connects for one request of HTTP/1, within this time and within what the request has left.
///
/// # Errors
/// As [`dial`]; and [`Refusal::ConnectTimeout`], which another endpoint may not share.
pub(crate) async fn connect(
    carrier: &Carrier,
    endpoint: &EndpointPool,
    time: Duration,
) -> Result<Box<Http1Connection>, Refusal> {
    let (worker, timer) = (carrier.worker(), carrier.timer());
    let limits = &worker.config.upstream;
    worker.cells.upstream_connects.add(1);
    timer.set(Wait::Upstream, time);
    let mut dialling = pin!(dial(endpoint, Some(carrier.client().origin()), &worker.overload));
    let connected = std::future::poll_fn(|cx| match dialling.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending if timer.expired(Wait::Upstream) || timer.expired(Wait::Request) => {
            Poll::Ready(Err(Refusal::ConnectTimeout))
        }
        Poll::Pending => Poll::Pending,
    })
    .await;
    timer.clear(Wait::Upstream);
    let stream = connected.inspect_err(|_| worker.cells.upstream_connect_failures.add(1))?;
    let _ = keepalive::watch(stream.socket(), limits.keepalive_interval);
    Ok(Http1Connection::new(stream, limits))
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
