//! The life of a client's connection: parked, serving, parked again, and at last closed so that nothing is lost.
//!
//! A connection between requests is *parked*: hyper's state and buffers are gone, only the socket waits for bytes. A
//! parked connection costs about a kilobyte, and it has no half-read request that a drain could lose.

mod guard;
mod handshake;
mod http2;
mod io;
mod linger;
mod preface;
mod proxy_header;
mod stream;

use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::Version;
use http::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::net::TcpStream;

use self::guard::{Guard, Limits};
use self::handshake::shake_hands;
pub(crate) use self::handshake::{Handshakes, Secure};
use self::io::ClientIo;
use self::proxy_header::Malformed;
pub(crate) use self::stream::Stream;
use crate::config::Protocol;
use crate::error::Refusal;
use crate::request::{self, Forwarding, forwarding};
use crate::respond;
use crate::timer::{Timer, Wait};
use crate::tunnel::Tunnel;
use crate::worker::{Accepted, Worker};

/// Silence after which an idle connection is parked. Shorter, and busy connections would be taken apart between two
/// requests; longer, and a burst of new ones would leave its memory behind.
const PARK_AFTER: Duration = Duration::from_millis(20);
/// hyper's read buffer: it must hold the largest head that the guard lets pass, and bounds what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 128 << 10;

/// What is known of a client while its connection lasts.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    /// Who the client is: the peer, or whom a load balancer says that it got the bytes from.
    peer: Cell<SocketAddr>,
    /// The address that the client connected to.
    local: Cell<SocketAddr>,
    pub(crate) timer: Timer,
    /// The TLS session that it speaks in, if it does.
    pub(crate) secure: OnceCell<Rc<Secure>>,
    /// Whether this is one stream of HTTP/2 among others, whose connection is not its own.
    pub(crate) is_stream: bool,
    /// What is said about this client to upstreams, made at its first request.
    pub(crate) forwarding: Rc<RefCell<Option<Box<Forwarding>>>>,
    /// A request has begun whose response is not yet handed over whole.
    pub(crate) in_flight: Cell<bool>,
    /// Why the client is not served any further.
    pub(crate) fault: Cell<Option<Refusal>>,
    /// The body of the current request is not read to its end: its rest stands before any next request.
    pub(crate) body_unread: Cell<bool>,
    /// The current request is one of HTTP/1.0.
    pub(crate) speaks_http10: Cell<bool>,
    /// The current request has asked for a switch of protocols, and so have we.
    pub(crate) upgrading: Cell<bool>,
    /// The response that is under way cannot be completed: the client must see that it is cut.
    pub(crate) abort: Cell<bool>,
    /// The request that was answered last has switched protocols, and this is what they are now spoken through.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
    /// Requests that hyper gave us, and responses that we gave back.
    pub(crate) requests: Cell<u32>,
    pub(crate) responses: Cell<u32>,
    guard: RefCell<Guard>,
    /// Heads that the guard let pass; more than `requests` while hyper has one in its buffer.
    heads_passed: Cell<u32>,
    /// The client has closed its side.
    eof: Cell<bool>,
    /// hyper has nothing left that the kernel has not taken; false from a write until the flush after it.
    flushed: Cell<bool>,
}

impl Client {
    fn new(worker: &Rc<Worker>, peer: SocketAddr, local: SocketAddr) -> Client {
        let limits = &worker.config.downstream;
        let guard =
            Limits { line_bytes_max: limits.request_line_bytes_max, head_bytes_max: limits.head_bytes_max };
        Client {
            worker: Rc::clone(worker),
            peer: Cell::new(peer),
            local: Cell::new(local),
            timer: worker.timers.register(),
            secure: OnceCell::new(),
            is_stream: false,
            forwarding: Rc::default(),
            in_flight: Cell::default(),
            fault: Cell::default(),
            body_unread: Cell::default(),
            speaks_http10: Cell::default(),
            upgrading: Cell::default(),
            abort: Cell::default(),
            tunnel: RefCell::default(),
            requests: Cell::default(),
            responses: Cell::default(),
            guard: RefCell::new(Guard::new(guard)),
            heads_passed: Cell::default(),
            eof: Cell::default(),
            flushed: Cell::new(true),
        }
    }

    /// A stream of this connection, with a state and deadlines of its own.
    fn stream(&self) -> Client {
        Client {
            secure: self.secure.clone(),
            is_stream: true,
            forwarding: Rc::clone(&self.forwarding),
            ..Client::new(&self.worker, self.peer(), self.local())
        }
    }

    /// Who the client is.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer.get()
    }

    /// The address that the client connected to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local.get()
    }

    /// What the client speaks, as a URI would begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure.get().is_some() { "https" } else { "http" }
    }

    /// All that was written is with the kernel.
    pub(crate) fn flushed(&self) {
        self.flushed.set(true);
    }

    /// Every request that hyper was given is answered, and every answer is with the kernel.
    fn is_at_rest(&self) -> bool {
        !self.in_flight.get() && self.flushed.get() && self.heads_passed.get() == self.requests.get()
    }

    /// At rest, and no byte of a next request has come.
    fn is_idle(&self) -> bool {
        self.is_at_rest()
            && self.fault.get().is_none()
            && !self.eof.get()
            && self.guard.borrow().at_boundary()
    }

    /// Notes a deadline of the client's that has passed.
    fn check_deadline(&self) {
        if self.fault.get().is_none() && self.timer.expired(Wait::Client) {
            self.timer.clear(Wait::Client);
            let in_body = self.guard.borrow().in_body();
            self.fault.set(Some(if in_body { Refusal::BodyTimeout } else { Refusal::HeadTimeout }));
        }
    }

    /// Whether the connection can serve no further request, so that the response under way must say so.
    pub(crate) fn must_close(&self) -> bool {
        !self.is_stream && (self.body_unread.get() || self.worker.drain.is_draining())
    }

    /// Says in the head of a response that it is the last one. To a client of HTTP/1.0 in its own version: in ours, hyper
    /// would add that the connection is kept.
    pub(crate) fn say_close(&self, headers: &mut HeaderMap, version: &mut Version) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if self.speaks_http10.get() {
            *version = Version::HTTP_10;
        }
    }

    /// The client's fault, if it lies in the request that is being served. One in what stands behind that request
    /// must not be held against it.
    pub(crate) fn fault_of_request(&self) -> Option<Refusal> {
        self.fault.get().filter(|why| {
            let ours = matches!(
                why,
                Refusal::BodyTimeout | Refusal::BodyTooLarge | Refusal::ClientGone | Refusal::ClientStalled
            );
            ours || self.guard.borrow().refused_in_body()
        })
    }

    /// The client's fault, if it lies in a next head and its turn to be answered has come.
    fn refused_head(&self) -> Option<Refusal> {
        let why = self.fault.get().filter(|_| self.is_at_rest())?;
        self.fault_of_request().is_none().then_some(why)
    }

    /// The client's fault, if it lies in the body of a request that will get no response of its own any more.
    fn unanswered_fault(&self) -> Option<Refusal> {
        self.fault_of_request().filter(|_| self.responses.get() < self.requests.get())
    }
}

/// Serves a connection to its end.
pub(crate) async fn serve(worker: &Rc<Worker>, accepted: Accepted) {
    let stream = match TcpStream::from_std(accepted.stream) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "an accepted connection cannot be watched; it is closed");
            return;
        }
    };
    let local = stream.local_addr().unwrap_or(accepted.peer);
    let client = Rc::new(Client::new(worker, accepted.peer, local));
    let (stream, mut owed) = match open(stream, &accepted.protocol, &client).await {
        Ok((stream, Version::HTTP_2)) => return http2::serve(stream, &client).await,
        Ok((stream, _)) => (stream, None),
        Err(Failed::Ended) => return,
        Err(Failed::Owed(stream, why)) => (stream, Some(why)),
    };
    let mut io = ClientIo::new(stream, Rc::clone(&client));
    while owed.is_none()
        && let Woken::Readable = park(&io.stream, &client).await
    {
        // Boxed, so that a parked connection does not carry the room that serving needs.
        let (driven, end) = Box::pin(drive(io, &client)).await;
        io = driven;
        if let Some(tunnel) = client.tunnel.take() {
            tunnel.run(&mut io.stream, &client).await;
            break;
        }
        match end {
            End::Idle => continue,
            End::Done => owed = client.unanswered_fault(),
            End::Refused(why) => owed = Some(why),
            End::Stalled => client.abort.set(true),
        }
        break;
    }
    close(&mut io.stream, &client, owed).await;
}

/// Why nothing is served on a socket.
enum Failed {
    /// There is nothing to say, or it was said.
    Ended,
    /// The client can be told.
    Owed(Stream, Refusal),
}

/// What the client speaks on, and which HTTP. A load balancer opens connections that it needs only later: until a first
/// byte comes, one is idle, and no handshake is late.
async fn open(
    socket: TcpStream,
    protocol: &Protocol,
    client: &Rc<Client>,
) -> Result<(Stream, Version), Failed> {
    let says_origin = forwarding::is_trusted(client.peer().ip(), &protocol.proxy_header_from);
    if !says_origin && protocol.tls.is_none() && !protocol.http2_cleartext {
        return Ok((Stream::Plain(socket), Version::HTTP_11));
    }
    let mut stream = Stream::Plain(socket);
    if let Woken::Idle = park(&stream, client).await {
        return Err(Failed::Ended);
    }
    if says_origin {
        stream = origin(stream, protocol, client).await?;
    }
    match (&protocol.tls, stream) {
        (Some(tls), Stream::Plain(socket)) => shake_hands(socket, tls, client).await,
        (_, stream) if protocol.http2_cleartext && preface::is_there(stream.socket(), client).await => {
            Ok((stream, Version::HTTP_2))
        }
        (_, stream) => Ok((stream, Version::HTTP_11)),
    }
}

/// Learns from the peer who the client is.
async fn origin(stream: Stream, protocol: &Protocol, client: &Client) -> Result<Stream, Failed> {
    match proxy_header::read(stream.socket(), client).await {
        Ok(origin) => {
            if let Some(origin) = origin {
                client.peer.set(origin.client);
                client.local.set(origin.local);
            }
            Ok(stream)
        }
        Err(Malformed) if protocol.tls.is_none() => Err(Failed::Owed(stream, Refusal::ProxyHeader)),
        Err(Malformed) => {
            respond::record(client, Refusal::ProxyHeader);
            Err(Failed::Ended)
        }
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
    client.forwarding.take();
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

/// Lets hyper serve requests until the connection is idle or ends.
async fn drive(io: ClientIo, client: &Rc<Client>) -> (ClientIo, End) {
    let limits = &client.worker.config.downstream;
    let service = service_fn(|request| request::serve(Rc::clone(client), request));
    let mut connection = http1::Builder::new()
        .max_buf_size(READ_BUFFER_BYTES_MIN.max(2 * limits.head_bytes_max))
        .serve_connection(TokioIo::new(io), service);
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

/// hyper waits for something; whether that is worth waiting for.
fn after_poll(client: &Client) -> Poll<End> {
    if let Some(why) = client.refused_head() {
        return Poll::Ready(End::Refused(why));
    }
    if client.timer.expired(Wait::Write) {
        // Noted here, because the request's record is closed together with hyper's connection.
        client.fault.set(Some(Refusal::ClientStalled));
        return Poll::Ready(End::Stalled);
    }
    if !client.is_idle() {
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
        && client.fault.get().is_none()
    {
        client.fault.set(Some(Refusal::BadRequest));
        respond::record(client, Refusal::BadRequest);
    }
}

/// Ends the connection: answers what is owed, and makes sure that what was sent arrives.
async fn close(stream: &mut Stream, client: &Rc<Client>, owed: Option<Refusal>) {
    client.timer.clear(Wait::Write);
    match owed {
        _ if client.eof.get() => return,
        Some(why) if client.flushed.get() => {
            respond::record(client, why);
            client.abort.set(false);
            linger::write(stream, client, &respond::raw(why)).await;
        }
        // In the middle of an earlier response nothing else can be said.
        Some(_) => return,
        None if client.abort.get() => return,
        None => {}
    }
    linger::wait(stream, client).await;
}
