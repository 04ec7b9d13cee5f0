//! What is known of a client: all that the parts of its connection and its requests have to agree on.

mod fault;

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use http::Version;
use http::header::{self, HeaderMap, HeaderValue};

use hyper::body::Incoming;

use super::guard::{Guard, Limits};
use super::handshake::Secure;
use super::heads::Heads;
use super::interim::Interim;
use super::outbox::Outbox;
use super::patience::Patience;
use super::proxy_header::Origin;
use crate::error::Refusal;
use crate::overload::Counted;
use crate::request::{Forwarding, Switch};
use crate::timer::{Timer, Wait};
use crate::tunnel::Tunnel;
use crate::worker::Worker;

/// What is known of a client while its connection lasts.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    /// Who the client is: the peer, or whom a load balancer says that it got the bytes from.
    pub(super) peer: Cell<SocketAddr>,
    /// The address that the client connected to.
    pub(super) local: Cell<SocketAddr>,
    /// Both were told by a PROXY header.
    pub(super) is_proxied: Cell<bool>,
    pub(crate) timer: Timer,
    /// Counts it among its client's connections, where those are limited.
    counted: OnceCell<Box<Counted>>,
    /// The TLS session that it speaks in, if it does.
    pub(crate) secure: OnceCell<Rc<Secure>>,
    /// Whether this is one stream of HTTP/2 among others, whose connection is not its own.
    pub(crate) is_stream: bool,
    /// If so, that connection, and which of its streams; 0 if it must not be written to past h2.
    pub(super) stream: Option<(Rc<Client>, u32)>,
    /// What is said about this client to upstreams, made at its first request.
    pub(crate) forwarding: Rc<RefCell<Option<Box<Forwarding>>>>,
    /// A request has begun whose response is not yet handed over whole.
    pub(crate) in_flight: Cell<bool>,
    /// Why the client is not served any further.
    pub(crate) fault: Cell<Option<Refusal>>,
    /// The body of the current request is not read to its end: its rest stands before any next request.
    pub(crate) body_unread: Cell<bool>,
    /// What is left of it on a stream of HTTP/2, when nobody wants it any more.
    pub(super) unread: Cell<Option<Box<Incoming>>>,
    /// The current request is one of HTTP/1.0.
    pub(crate) speaks_http10: Cell<bool>,
    /// The switch of protocols that the current request has asked for, and so have we.
    pub(crate) switch: RefCell<Option<Box<Switch>>>,
    /// How long it may still keep an upstream waiting for its body.
    pub(crate) patience: Patience,
    /// What is under way to it.
    pub(crate) outbox: Outbox,
    /// What it is to be told before its answer.
    pub(super) interim: Interim,
    /// What its head takes, with those of its connection's other streams.
    pub(crate) heads: Heads,
    /// What its connection has to pay for requests that broke the rules.
    pub(crate) fines: Rc<Cell<u32>>,
    /// The response that is under way cannot be completed: the client must see that it is cut.
    pub(crate) abort: Cell<bool>,
    /// The request that was answered last has switched protocols, and this is what they are now spoken through.
    pub(crate) tunnel: Cell<Option<Box<Tunnel>>>,
    /// The current request is a call of gRPC: its client reads no status of HTTP, and silence is a part of it.
    pub(crate) is_call: Cell<bool>,
    /// Requests that hyper gave us, and responses that we gave back.
    pub(crate) requests: Cell<u32>,
    pub(crate) responses: Cell<u32>,
    pub(super) guard: RefCell<Guard>,
    /// Heads that the guard let pass; more than `requests` while hyper has one in its buffer.
    pub(super) heads_passed: Cell<u32>,
    /// The client has closed its side.
    pub(super) eof: Cell<bool>,
    /// hyper has nothing left that the kernel has not taken; false from a write until the flush after it.
    pub(super) flushed: Cell<bool>,
}

impl Client {
    pub(super) fn new(worker: &Rc<Worker>, peer: SocketAddr, local: SocketAddr) -> Client {
        Client {
            worker: Rc::clone(worker),
            peer: Cell::new(peer),
            local: Cell::new(local),
            is_proxied: Cell::default(),
            timer: worker.timers.register(),
            counted: OnceCell::new(),
            secure: OnceCell::new(),
            is_stream: false,
            stream: None,
            forwarding: Rc::default(),
            in_flight: Cell::default(),
            fault: Cell::default(),
            body_unread: Cell::default(),
            unread: Cell::default(),
            speaks_http10: Cell::default(),
            switch: RefCell::default(),
            patience: Patience::default(),
            outbox: Outbox::default(),
            interim: Interim::default(),
            heads: Heads::default(),
            fines: Rc::default(),
            abort: Cell::default(),
            tunnel: Cell::default(),
            is_call: Cell::default(),
            requests: Cell::default(),
            responses: Cell::default(),
            guard: RefCell::new(Guard::new(Limits::of(&worker.config.downstream))),
            heads_passed: Cell::default(),
            eof: Cell::default(),
            flushed: Cell::new(true),
        }
    }

    /// A stream of this connection, with a state and deadlines of its own.
    pub(super) fn stream(self: &Rc<Self>, id: u32) -> Client {
        let stream = Client {
            is_proxied: self.is_proxied.clone(),
            secure: self.secure.clone(),
            is_stream: true,
            stream: Some((Rc::clone(self), id)),
            heads: self.heads.share(),
            fines: Rc::clone(&self.fines),
            forwarding: Rc::clone(&self.forwarding),
            ..Client::new(&self.worker, self.peer(), self.local())
        };
        stream.patience.begin(&self.worker.config.downstream);
        stream
    }

    /// Whether this connection may be served at all, now that it is known whose it is.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        let Worker { overload, config, .. } = &*self.worker;
        overload.check_memory()?;
        let limits = &config.downstream;
        if limits.connections_per_client_max < limits.connections_max {
            let counted = overload.count(self.peer().ip(), limits.connections_per_client_max)?;
            let _ = self.counted.set(Box::new(counted));
        }
        Ok(())
    }

    /// Who the client is.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer.get()
    }

    /// The address that the client connected to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local.get()
    }

    /// The port that the client connected to, if a load balancer has said so; that of our socket may be another one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.is_proxied.get().then(|| self.local().port())
    }

    /// Whom an endpoint is told that its connection is opened for.
    pub(crate) fn origin(&self) -> Origin {
        Origin { client: self.peer(), local: self.local() }
    }

    /// What tells its connection from any other.
    pub(crate) fn identity(&self) -> Identity {
        Identity(Rc::downgrade(&self.forwarding))
    }

    /// What the client speaks, as a URI would begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure.get().is_some() { "https" } else { "http" }
    }

    /// Nobody wants more of a body. What is left of one of HTTP/1 is read when hyper is gone; a stream of HTTP/2 would be
    /// reset, unless its task goes on reading.
    pub(crate) fn leave_unread(&self, body: Incoming) {
        let is_unread = self.is_stream && self.body_unread.get();
        if is_unread {
            self.unread.set(Some(Box::new(body)));
        }
        // What is left is for its task to read, or that waits for the end of it.
        if is_unread || self.timer.is_set(Wait::Linger) {
            self.timer.wake();
        }
    }

    /// Begins the time in which an endpoint must answer. One that is called may be silent for as long as the caller waits:
    /// many servers send no head before the first message of a stream.
    pub(crate) fn await_head(&self) {
        if self.is_call.get() {
            self.timer.clear(Wait::Upstream);
        } else {
            self.timer.set(Wait::Upstream, self.worker.config.upstream.head_timeout);
        }
    }

    /// All that was written is with the kernel.
    pub(crate) fn flushed(&self) {
        self.flushed.set(true);
        self.outbox.flushed();
    }

    /// Every request that hyper was given is answered, and every answer is with the kernel.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.in_flight.get() && self.flushed.get() && self.heads_passed.get() == self.requests.get()
    }

    /// What was said behind the request that is being served, before the protocol is spoken that it asks for. None if that
    /// was read as something else.
    pub(crate) fn take_early(&self) -> Option<Vec<u8>> {
        self.holds_early().then(|| std::mem::take(self.guard.borrow_mut().held()))
    }

    /// Whether that is kept, and it is no later request that asks for something else.
    pub(crate) fn holds_early(&self) -> bool {
        self.heads_passed.get() == self.requests.get() && self.guard.borrow().holds()
    }

    /// No other protocol was wanted: what stands behind the request is the next one.
    pub(crate) fn keep_protocol(&self) {
        if self.holds_early() {
            self.guard.borrow_mut().release();
        }
    }

    /// The other protocol was not agreed to. Of a client that has waited for this the next request is served; what another has
    /// said already is no request, whatever it looks like, and the connection ends.
    pub(crate) fn refuse_protocol(&self) {
        if self.holds_early() && self.guard.borrow_mut().held().is_empty() {
            self.guard.borrow_mut().release();
        }
    }

    /// At rest, and no byte of a next request has come.
    pub(super) fn is_idle(&self) -> bool {
        self.is_at_rest()
            && self.fault.get().is_none()
            && !self.eof.get()
            && self.guard.borrow().at_boundary()
    }

    /// Whether the connection can serve no further request, so that the response under way must say so.
    pub(crate) fn must_close(&self) -> bool {
        !self.is_stream && (self.body_unread.get() || self.worker.drain.is_draining() || self.holds_early())
    }

    /// Says in the head of a response that it is the last one. To a client of HTTP/1.0 in its own version: in ours, hyper
    /// would add that the connection is kept.
    pub(crate) fn say_close(&self, headers: &mut HeaderMap, version: &mut Version) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if self.speaks_http10.get() {
            *version = Version::HTTP_10;
        }
    }
}

/// Tells one client's connection from any other, and whether it is still there. All its streams have the same, by what
/// they share.
pub(crate) struct Identity(Weak<RefCell<Option<Box<Forwarding>>>>);

impl Identity {
    /// Whether the client has left.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        self.0.ptr_eq(&other.0)
    }
}
