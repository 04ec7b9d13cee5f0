//! The life of a client's connection: parked, serving, parked again, and at last closed so that nothing is lost.
//!
//! A connection between requests is *parked*: hyper's state and buffers are gone, only the socket waits for bytes. A
//! parked connection costs about a kilobyte, and it has no half-read request that a drain could lose.

mod guard;
mod io;
mod linger;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::net::TcpStream;

use self::guard::{Guard, Limits};
use self::io::ClientIo;
use crate::error::Refusal;
use crate::request::{self, Forwarding};
use crate::respond;
use crate::timer::{Timer, Wait};
use crate::worker::{Accepted, Worker};

/// Silence after which an idle connection is parked. Shorter, and busy connections would be taken apart between two
/// requests; longer, and a burst of new ones would leave its memory behind.
const PARK_AFTER: Duration = Duration::from_millis(20);
/// hyper's read buffer: it must hold the largest head that the guard lets pass, and bounds what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 128 << 10;

/// What is known of a client while its connection lasts.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) peer: SocketAddr,
    /// The address that the client connected to.
    pub(crate) local: SocketAddr,
    pub(crate) timer: Timer,
    /// What is said about this client to upstreams, made at its first request.
    pub(crate) forwarding: RefCell<Option<Box<Forwarding>>>,
    /// A request has begun whose response is not yet handed over whole.
    pub(crate) in_flight: Cell<bool>,
    /// Why the client is not served any further.
    pub(crate) fault: Cell<Option<Refusal>>,
    /// The body of the current request is not read to its end: its rest stands before any next request.
    pub(crate) body_unread: Cell<bool>,
    /// The response that is under way cannot be completed: the client must see that it is cut.
    pub(crate) abort: Cell<bool>,
    /// Requests that hyper gave us, and responses that we gave back.
    pub(crate) requests: Cell<u32>,
    pub(crate) responses: Cell<u32>,
    guard: RefCell<Guard>,
    heads_passed: Cell<u32>,
    refusal_delivered: Cell<bool>,
    eof: Cell<bool>,
    flushed: Cell<bool>,
}

impl Client {
    fn new(worker: &Rc<Worker>, stream: &TcpStream, peer: SocketAddr) -> Client {
        let limits = &worker.config.downstream;
        let guard =
            Limits { line_bytes_max: limits.request_line_bytes_max, head_bytes_max: limits.head_bytes_max };
        Client {
            worker: Rc::clone(worker),
            peer,
            local: stream.local_addr().unwrap_or(peer),
            timer: worker.timers.register(),
            forwarding: RefCell::default(),
            in_flight: Cell::default(),
            fault: Cell::default(),
            body_unread: Cell::default(),
            abort: Cell::default(),
            requests: Cell::default(),
            responses: Cell::default(),
            guard: RefCell::new(Guard::new(guard)),
            heads_passed: Cell::default(),
            refusal_delivered: Cell::default(),
            eof: Cell::default(),
            flushed: Cell::new(true),
        }
    }

    /// Nothing is in flight, nothing is buffered on either side, and no byte of a next request has come.
    fn is_idle(&self) -> bool {
        !self.in_flight.get()
            && self.flushed.get()
            && self.heads_passed.get() == self.requests.get()
            && self.fault.get().is_none()
            && !self.eof.get()
            && self.guard.borrow().at_boundary()
    }

    /// Whether the connection can serve no further request, so that the response under way must say so.
    pub(crate) fn must_close(&self) -> bool {
        self.body_unread.get() || self.worker.drain.is_draining()
    }

    /// Whether the client's fault lies in the body of a request whose head has passed.
    fn fault_in_body(&self) -> bool {
        let ours = matches!(
            self.fault.get(),
            Some(Refusal::BodyTimeout | Refusal::BodyTooLarge | Refusal::ClientGone | Refusal::ClientStalled)
        );
        ours || self.guard.borrow().refused_in_body()
    }

    /// Whether a response of ours is still owed for what was refused. A fault in a body is answered by the request's
    /// own response, if that was not yet given.
    fn owes_refusal(&self) -> Option<Refusal> {
        let why = self.fault.get().filter(|_| self.refusal_delivered.get())?;
        let answered = self.fault_in_body() && self.responses.get() == self.requests.get();
        (!answered).then_some(why)
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
    let client = Rc::new(Client::new(worker, &stream, accepted.peer));
    let mut io = ClientIo::new(stream, Rc::clone(&client));
    loop {
        if let Woken::Idle = park(&io.stream, &client).await {
            break;
        }
        // Boxed, so that a parked connection does not carry the room that serving needs.
        match Box::pin(drive(io, &client)).await {
            Driven::Idle(parked) => io = parked,
            Driven::Ended(ended) => {
                io = ended;
                break;
            }
        }
    }
    close(&io.stream, &client).await;
}

enum Woken {
    /// There is something to read.
    Readable,
    /// The client was silent for too long.
    Idle,
}

/// Waits for the first byte of a request, for as long as an idle connection is kept.
async fn park(stream: &TcpStream, client: &Rc<Client>) -> Woken {
    let worker = &client.worker;
    client.forwarding.take();
    client.timer.set(Wait::Client, worker.config.idle_timeout);
    worker.cells.connections_parked.add(1);
    let woken = poll_fn(|cx| {
        client.timer.attach(cx);
        if stream.poll_read_ready(cx).is_ready() {
            return Poll::Ready(Woken::Readable);
        }
        // The runtime may not yet know what the kernel already holds; a request that has arrived is served.
        if client.timer.expired(Wait::Client) {
            let queue = rustix::net::recv(stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
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

enum Driven {
    /// Parked again: idle, and nothing is buffered.
    Idle(ClientIo),
    /// hyper is done with it, or must be.
    Ended(ClientIo),
}

/// Lets hyper serve requests until the connection is idle or ends.
async fn drive(io: ClientIo, client: &Rc<Client>) -> Driven {
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
    let ended = poll_fn(|cx| {
        if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
            return Poll::Ready(Some(result));
        }
        if client.timer.expired(Wait::Write) {
            client.fault.set(Some(Refusal::ClientStalled));
            client.abort.set(true);
            return Poll::Ready(Some(Ok(())));
        }
        if !client.is_idle() {
            return Poll::Pending;
        }
        client.timer.start(Wait::Park, PARK_AFTER);
        if client.timer.expired(Wait::Park) { Poll::Ready(None) } else { Poll::Pending }
    })
    .await;
    client.timer.clear(Wait::Park);
    let parts = connection.into_parts();
    let io = parts.io.into_inner();
    match ended {
        None if parts.read_buf.is_empty() => Driven::Idle(io),
        None => {
            debug_assert!(false, "the guard said that nothing is buffered");
            Driven::Ended(io)
        }
        Some(result) => {
            note_parse_error(result, client);
            Driven::Ended(io)
        }
    }
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
async fn close(stream: &TcpStream, client: &Rc<Client>) {
    client.timer.clear(Wait::Write);
    if let Some(why) = client.owes_refusal() {
        respond::record(client, why);
        client.abort.set(false);
        linger::write(stream, client, &respond::raw(why)).await;
    } else if client.eof.get() || client.abort.get() {
        return;
    }
    linger::wait(stream, client).await;
}
