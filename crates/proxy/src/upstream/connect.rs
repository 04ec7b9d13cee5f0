//! Opening a connection to an endpoint.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use rustix::io::Errno;
use tokio::net::TcpStream;

use super::exchange::Exchange;
use crate::connection::Client;
use crate::error::Refusal;
use crate::timer::Wait;

/// Connects, within the time for that and within what the request has left.
///
/// # Errors
/// [`Refusal::Connect`] or [`Refusal::ConnectTimeout`]: nothing was sent, another endpoint may be tried. [`Refusal::Files`]:
/// with no other endpoint would it be better.
pub(crate) async fn connect(client: &Client, address: SocketAddr) -> Result<Box<Exchange>, Refusal> {
    let limits = &client.worker.config.upstream;
    client.worker.cells.upstream_connects.add(1);
    client.timer.set(Wait::Upstream, limits.connect_timeout);
    let mut connecting = pin!(TcpStream::connect(address));
    let connected = std::future::poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result.map_err(|error| refusal(client, &error))),
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
    exchange.inspect_err(|_| client.worker.cells.upstream_connect_failures.add(1))
}

fn refusal(client: &Client, error: &io::Error) -> Refusal {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => {
            client.worker.overload.files_ran_out();
            Refusal::Files
        }
        _ => Refusal::Connect,
    }
}
