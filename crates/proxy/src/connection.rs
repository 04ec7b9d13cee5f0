//! The life of a client's connection: parked, serving, parked again, and at last closed so that nothing is lost.
//!
//! A connection between requests is *parked*: hyper's state and buffers are gone, only the socket waits for bytes, at first
//! in its task and then without one, see [`parking`]. A parked connection costs some hundred bytes, and it has no half-read
//! request that a drain could lose. It stays cheap until the head of the next request is there.
//!
//! Start at [`serve`]: the `preamble`, then `park` and, in [`http1`], `drive` by turns; a client of HTTP/2 goes to [`http2`].

mod handshake;
mod http1;
pub(crate) mod http2;
mod io;
mod large_heads;
mod linger;
pub(crate) mod parking;
mod passage;
mod passthrough;
mod peek;
mod preamble;
mod preface;
mod proxy_header;
#[cfg(test)]
mod sizes;
pub(crate) mod tcp_service;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::Version;
use rustix::net::RecvFlags;
use tokio::net::TcpStream;

use self::handshake::Handshakes;
use self::http1::Http1;
use self::large_heads::LargeHeadLimiter;
use self::parking::Parking;
use self::preamble::Failed;
use crate::client::{Client, Known};
use crate::stream::Stream;
use crate::timer::Wait;
use crate::upstream::Upstreams;
use crate::worker::{Accepted, Worker};

/// What the connections of one worker are served with.
pub(crate) struct Server {
    pub(crate) worker: Rc<Worker>,
    pub(crate) upstreams: Rc<Upstreams>,
    pub(crate) parking: Parking,
    handshakes: Handshakes,
    large_heads: LargeHeadLimiter,
}

impl Server {
    pub(crate) fn new(worker: &Rc<Worker>, upstreams: Upstreams, parking: Parking) -> Server {
        Server {
            parking,
            worker: Rc::clone(worker),
            upstreams: Rc::new(upstreams),
            handshakes: Handshakes::default(),
            large_heads: LargeHeadLimiter::new(),
        }
    }
}

/// Counts a connection as open until it is dropped, however its task ends.
pub(crate) struct Open {
    server: Rc<Server>,
}

impl Open {
    /// One more.
    pub(crate) fn new(server: &Rc<Server>) -> Open {
        server.worker.cells.connections_accepted.add(1);
        server.worker.cells.connections_open.add(1);
        Open { server: Rc::clone(server) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let worker = &self.server.worker;
        worker.cells.connections_open.sub(1);
        worker.loads.release(worker.place);
    }
}

/// Serves a connection to its end. What can be done at once is, before there is a future: a connection keeps that, and what it
/// is made of.
pub(crate) fn serve(open: Open, accepted: Accepted) -> impl Future<Output = ()> {
    let Accepted { stream, peer, protocol } = accepted;
    let stream = TcpStream::from_std(stream).inspect_err(|error| {
        tracing::warn!(%error, "an accepted connection cannot be watched; it is closed");
    });
    let local = stream.as_ref().ok().and_then(|stream| stream.local_addr().ok());
    let client = Rc::new(Client::new(&open.server.worker, Known::new(peer, local.unwrap_or(peer))));
    async move {
        let Ok(stream) = stream else { return };
        // What few connections need, or each only at its beginning, is boxed: others must not carry the room for it.
        let opened = if preamble::is_empty(&protocol, &client) {
            preamble::none(stream, &client)
        } else {
            Box::pin(preamble::read(stream, &protocol, &open.server, &client)).await
        };
        let may_begin_http2 = protocol.http2_cleartext;
        drop(protocol);
        match opened {
            Ok((stream, Version::HTTP_2)) => Box::pin(http2::serve(stream, &open.server, &client)).await,
            Ok((stream, _)) => http1::serve(Http1 { stream, client, open, may_begin_http2 }, false).await,
            Err(Failed::Ended) => {}
            Err(Failed::Owed(mut stream, why)) => http1::close(&mut stream, &client, Some(why)).await,
        }
    }
}

enum Woken {
    /// There is something to read.
    Readable,
    /// The client was silent for too long.
    Idle,
    /// It was silent for so long that no task is kept for it.
    Silent,
}

/// Waits for the first byte of a request, for as long as an idle connection is kept, or for `task_for` if that is less and
/// nothing else knows of the client.
async fn park(stream: &Stream, client: &Rc<Client>, idle_for: Duration, task_for: Option<Duration>) -> Woken {
    let (worker, socket) = (&client.worker, stream.socket());
    client.rest();
    client.timer.set(Wait::Client, idle_for);
    if let Some(task_for) = task_for {
        client.timer.set(Wait::Park, task_for);
    }
    worker.cells.connections_parked.add(1);
    let woken = poll_fn(|cx| {
        client.timer.attach(cx);
        if stream.holds_bytes() || socket.poll_read_ready(cx).is_ready() {
            return Poll::Ready(Woken::Readable);
        }
        // The runtime may not yet know what the kernel already holds; a request that has arrived is served.
        if client.timer.expired(Wait::Client) {
            let queue = rustix::net::recv(socket, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
            let empty = matches!(queue, Err(rustix::io::Errno::AGAIN));
            return Poll::Ready(if empty { Woken::Idle } else { Woken::Readable });
        }
        if client.timer.expired(Wait::Park) {
            client.timer.clear(Wait::Park);
            // Its socket knows of it, and its task.
            if Rc::strong_count(client) <= 2 {
                return Poll::Ready(Woken::Silent);
            }
        }
        Poll::Pending
    })
    .await;
    worker.cells.connections_parked.sub(1);
    client.timer.clear(Wait::Park);
    if !matches!(woken, Woken::Silent) {
        client.timer.clear(Wait::Client);
    }
    woken
}
