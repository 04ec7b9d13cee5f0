//! The life of a client's connection: parked, serving, parked again, and at last closed so that nothing is lost.
//!
//! A connection between requests is *parked*: hyper's state and buffers are gone, only the socket waits for bytes. A
//! parked connection costs about a kilobyte, and it has no half-read request that a drain could lose. It stays as cheap
//! until the head of the next request is there.

mod handshake;
pub(crate) mod http2;
mod io;
mod large_heads;
mod linger;
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
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::Version;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::net::TcpStream;

use self::handshake::Handshakes;
use self::io::ClientIo;
use self::large_heads::LargeHeadLimiter;
use self::preamble::Failed;
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::request;
use crate::respond;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::tunnel::Seat;
use crate::upstream::Upstreams;
use crate::worker::{Accepted, Worker};

/// Silence after which an idle connection is parked. Shorter, and busy connections would be taken apart between two
/// requests; longer, and a burst of new ones would leave its memory behind.
const PARK_AFTER: Duration = Duration::from_millis(20);
/// hyper's read buffer: it must hold the largest head that the guard lets pass, and bounds what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 128 << 10;

/// What the connections of one worker are served with.
pub(crate) struct Server {
    pub(crate) worker: Rc<Worker>,
    pub(crate) upstreams: Rc<Upstreams>,
    handshakes: Handshakes,
    large_heads: LargeHeadLimiter,
}

impl Server {
    pub(crate) fn new(worker: &Rc<Worker>, upstreams: Upstreams) -> Server {
        Server {
            worker: Rc::clone(worker),
            upstreams: Rc::new(upstreams),
            handshakes: Handshakes::default(),
            large_heads: LargeHeadLimiter::new(),
        }
    }
}

/// Serves a connection to its end. What can be done at once is, before there is a future: a parked connection keeps that, and
/// what it is made of.
pub(crate) fn serve(server: &Rc<Server>, accepted: Accepted) -> impl Future<Output = ()> {
    let Accepted { stream, peer, protocol } = accepted;
    let stream = TcpStream::from_std(stream).inspect_err(|error| {
        tracing::warn!(%error, "an accepted connection cannot be watched; it is closed");
    });
    let local = stream.as_ref().ok().and_then(|stream| stream.local_addr().ok());
    let client = Rc::new(Client::new(&server.worker, peer, local.unwrap_or(peer)));
    async move {
        let Ok(stream) = stream else { return };
        // What few connections need, or each only at its beginning, is boxed: a parked one must not carry the room for it.
        let opened = if preamble::is_empty(&protocol, &client) {
            preamble::none(stream, &client)
        } else {
            Box::pin(preamble::read(stream, &protocol, server, &client)).await
        };
        let (stream, mut owed) = match opened {
            Ok((stream, Version::HTTP_2)) => return Box::pin(http2::serve(stream, server, &client)).await,
            Ok((stream, _)) => (stream, None),
            Err(Failed::Ended) => return,
            Err(Failed::Owed(stream, why)) => (stream, Some(why)),
        };
        let (mut io, seat) = (ClientIo::new(stream, Rc::clone(&client)), Seat::default());
        while owed.is_none()
            && let Woken::Readable = park(&io.stream, &client).await
        {
            if let Err(why) = Box::pin(peek::request(&io.stream, &client)).await {
                owed = Some(why);
                break;
            }
            let (driven, end) = Box::pin(drive(io, server, &client, &seat)).await;
            io = driven;
            if let Some(tunnel) = seat.take() {
                Box::pin(tunnel.run(&mut io.stream)).await;
                break;
            }
            match end {
                End::Idle => continue,
                End::Done => owed = client.http1.unanswered_fault(),
                End::Refused(why) => owed = Some(why),
                End::Stalled => client.http1.abort.set(true),
            }
            break;
        }
        if owed == Some(Refusal::NotHttp) && protocol.http2_cleartext && client.http1.requests.get() == 0 {
            // No preface of HTTP/2 either: it would understand an answer in neither (RFC 9113 §3.4 asks for an end only).
            respond::record(&client, Refusal::NotHttp);
            owed = None;
        }
        close(&mut io.stream, &client, owed).await;
    }
}

enum Woken {
    /// There is something to read.
    Readable,
    /// The client was silent for too long.
    Idle,
}

/// Waits for the first byte of a request, for as long as an idle connection is kept.
async fn park(stream: &Stream, client: &Rc<Client>) -> Woken {
    let (worker, socket) = (&client.worker, stream.socket());
    client.rest();
    client.timer.set(Wait::Client, worker.config.idle_timeout);
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
        Poll::Pending
    })
    .await;
    worker.cells.connections_parked.sub(1);
    client.timer.clear(Wait::Client);
    woken
}

/// Why hyper serves a connection no longer.
enum End {
    /// Nothing is in flight and nothing is buffered: it can be parked.
    Idle,
    /// hyper is done with it.
    Done,
    /// The next head is refused, and all requests before it are answered.
    Refused(Refusal),
    /// The client does not take what is written to it.
    Stalled,
}

/// Lets hyper serve requests until the connection is idle or ends. hyper's connection is made before there is a future, which
/// would else keep room for what it is made of, too.
fn drive<'c>(
    io: ClientIo,
    server: &'c Server,
    client: &'c Rc<Client>,
    seat: &'c Seat,
) -> impl Future<Output = (ClientIo, End)> {
    let limits = client.limits();
    let service = service_fn(move |request| {
        request::serve(&server.upstreams, Carrier::next_on(client), request, Some(seat))
    });
    let mut connection = http1::Builder::new()
        .max_buf_size(READ_BUFFER_BYTES_MIN.max(2 * limits.head_bytes_max))
        .max_headers(limits.head_fields_max)
        .serve_connection(TokioIo::new(io), service);
    async move {
        // The task is the same at each poll, and so is what wakes it.
        poll_fn(|cx| {
            client.timer.attach(cx);
            Poll::Ready(())
        })
        .await;
        let end = poll_fn(|cx| {
            client.check_deadline();
            if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
                note_parse_error(result, client);
                return Poll::Ready(End::Done);
            }
            after_poll(client)
        })
        .await;
        client.timer.clear(Wait::Park);
        let parts = connection.into_parts();
        debug_assert!(
            !matches!(end, End::Idle) || parts.read_buf.is_empty(),
            "the guard said that nothing is buffered"
        );
        (parts.io.into_inner(), end)
    }
}

/// hyper waits for something; whether that is worth waiting for.
fn after_poll(client: &Client) -> Poll<End> {
    if let Some(why) = client.http1.refused_head() {
        return Poll::Ready(End::Refused(why));
    }
    if client.timer.expired(Wait::Write) {
        // Noted here, because the request's record is closed together with hyper's connection.
        client.http1.fault.set(Some(Refusal::ClientStalled));
        return Poll::Ready(End::Stalled);
    }
    // It had closed its side before its last answer, which hyper was not told. Or it still sends a body that an endpoint of
    // HTTP/2 has answered and reads no more, for which hyper would wait.
    if client.http1.is_at_rest() && (client.http1.eof.get() || client.http1.body_is_unread()) {
        return Poll::Ready(End::Done);
    }
    if !client.http1.is_idle() {
        client.timer.clear(Wait::Park);
        return Poll::Pending;
    }
    client.timer.start(Wait::Park, PARK_AFTER);
    if client.timer.expired(Wait::Park) { Poll::Ready(End::Idle) } else { Poll::Pending }
}

/// hyper answers by itself what it cannot parse and the guard let pass; it is counted all the same.
fn note_parse_error(result: hyper::Result<()>, client: &Client) {
    if let Err(error) = result
        && error.is_parse()
        && client.http1.reads_on()
    {
        client.http1.fault.set(Some(Refusal::BadRequest));
        respond::record(client, Refusal::BadRequest);
    }
}

/// Ends the connection: answers what is owed, and makes sure that what was sent arrives.
async fn close(stream: &mut Stream, client: &Rc<Client>, owed: Option<Refusal>) {
    client.timer.clear(Wait::Write);
    match owed {
        _ if client.http1.eof.get() => return,
        Some(why) if client.http1.flushed.get() => {
            respond::record(client, why);
            client.http1.abort.set(false);
            linger::write(stream, client, &respond::raw(why)).await;
        }
        // In the middle of an earlier response nothing else can be said.
        Some(_) => return,
        None if client.http1.abort.get() => return,
        None => {}
    }
    linger::wait(stream, client).await;
}
