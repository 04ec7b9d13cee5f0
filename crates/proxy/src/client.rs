//! What is known of a client while its connection lasts: its addresses, its TLS session, its deadlines, and how far what it
//! sends and is sent has come.
//!
//! Owns: what outlives a request, which is [`Client`]; and what carries one: the connection itself with HTTP/1, a stream of
//! it with HTTP/2, which is [`Carrier`]. Of a request this module knows only [`RequestState`], what its carrier must see.
//! Never: sockets, routes or endpoints.

mod backlog;
mod carrier;
mod fault;
mod heads;
mod http1;
mod http2;
mod interim;
mod known;
mod patience;
mod secure;
mod state;

use std::cell::{Cell, OnceCell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::Uri;
use http::header::{HeaderMap, HeaderName};
use model::Edge;

use self::heads::Heads;
use self::http1::Http1;
use self::interim::Interim;
use crate::config::Downstream;
use crate::error::Refusal;
use crate::forwarding::{self, Forwarding, Lines, client_address};
use crate::overload::Counted;
use crate::proxy_header::Origin;
use crate::timer::Timer;
use crate::worker::Worker;

pub(crate) use self::carrier::Carrier;
pub(crate) use self::http2::{Http2Stream, Sequel};
pub(crate) use self::known::{Identity, Known};
pub(crate) use self::secure::{Asked, Secure, Shown};
pub(crate) use self::state::RequestState;

/// What is known of a client while its connection lasts.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    /// Where the client is: the peer, or the address that a load balancer says that it got the bytes from.
    peer: Cell<SocketAddr>,
    /// The address that the client connected to.
    local: Cell<SocketAddr>,
    /// Both were told by a PROXY header.
    is_proxied: Cell<bool>,
    /// The deadlines of the connection's task.
    pub(crate) timer: Timer,
    /// Counts it among its client's connections, where those are limited.
    counted: OnceCell<Box<Counted>>,
    /// The TLS session that it speaks in, if it does.
    pub(crate) secure: OnceCell<Box<Secure>>,
    /// What is said about this client to upstreams, made at its first request.
    forwarding: RefCell<Option<Box<Forwarding>>>,
    /// What tells its connection from any other, where that has to be told.
    identity: OnceCell<Rc<()>>,
    /// What it is to be told before its answers.
    pub(crate) interim: Interim,
    /// What the connection is in the middle of, if it speaks HTTP/1.
    pub(crate) http1: Http1,
    /// What the heads of its streams take together, if it speaks HTTP/2.
    heads: OnceCell<Heads>,
    /// What it has to pay for streams that broke the rules.
    pub(crate) fines: Cell<u32>,
}

impl Client {
    pub(crate) fn new(worker: &Rc<Worker>, known: Known) -> Client {
        Client {
            worker: Rc::clone(worker),
            peer: Cell::new(known.peer),
            local: Cell::new(known.local),
            is_proxied: Cell::new(known.is_proxied),
            timer: worker.timers.register(),
            counted: known.counted.map(OnceCell::from).unwrap_or_default(),
            secure: known.secure.map(OnceCell::from).unwrap_or_default(),
            forwarding: RefCell::default(),
            identity: known.identity.map(OnceCell::from).unwrap_or_default(),
            interim: Interim::default(),
            http1: Http1::new(&worker.config.downstream),
            heads: OnceCell::new(),
            fines: Cell::default(),
        }
    }

    /// What is still known of it when it has long been silent.
    pub(crate) fn into_known(self) -> Known {
        Known {
            peer: self.peer.get(),
            local: self.local.get(),
            is_proxied: self.is_proxied.get(),
            counted: self.counted.into_inner(),
            secure: self.secure.into_inner(),
            identity: self.identity.into_inner(),
        }
    }

    /// What it may cost, and how long it may take.
    pub(crate) fn limits(&self) -> &Downstream {
        &self.worker.config.downstream
    }

    /// The tick that it is.
    pub(crate) fn now(&self) -> u32 {
        self.worker.timers.now()
    }

    /// Counts bytes that it has sent.
    pub(crate) fn received(&self, bytes: usize) {
        self.worker.cells.received_bytes.add(bytes as u64);
    }

    /// Counts bytes that it was sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.worker.cells.sent_bytes.add(bytes as u64);
    }

    /// A load balancer has told where the bytes come from.
    pub(crate) fn is_proxied_from(&self, origin: Origin) {
        self.peer.set(origin.client);
        self.local.set(origin.local);
        self.is_proxied.set(true);
    }

    /// Whether this connection may be served at all, now that it is known whose it is.
    ///
    /// # Errors
    /// [`Refusal::Memory`], [`Refusal::ClientConnections`].
    pub(crate) fn admit(&self) -> Result<(), Refusal> {
        let (overload, limits) = (&self.worker.overload, self.limits());
        overload.check_memory()?;
        if limits.connections_per_client_max < limits.connections_max {
            let counted = overload.count(self.peer().ip(), limits.connections_per_client_max)?;
            let _ = self.counted.set(Box::new(counted));
        }
        Ok(())
    }

    /// Where the client is.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer.get()
    }

    /// What an endpoint is told of the client that its connection is opened for.
    pub(crate) fn origin(&self) -> Origin {
        Origin { client: self.peer(), local: self.local.get() }
    }

    /// What tells its connection from any other.
    pub(crate) fn identity(&self) -> Identity {
        Identity(Rc::downgrade(self.identity.get_or_init(Rc::default)))
    }

    /// Makes the fields of a request's head say to an upstream where it comes from, as the edge says if there is one.
    pub(crate) fn forward(&self, edge: Option<&Edge>, headers: &mut HeaderMap, target: &Uri) {
        let networks = &self.worker.config.trusted_proxies;
        self.with_forwarding(|forwarding| match edge {
            Some(edge) => forwarding.tell(edge, headers, target, networks),
            None => forwarding.extend_or_replace(headers, networks, self.limits().underscores),
        });
    }

    /// The same as lines that stand behind the fields, if they can.
    pub(crate) fn forward_in_lines(&self, headers: &mut HeaderMap) -> Option<Lines> {
        self.with_forwarding(|forwarding| forwarding.lines(headers, self.limits().underscores))
    }

    fn with_forwarding<T>(&self, with: impl FnOnce(&mut Forwarding) -> T) -> T {
        let mut made = self.forwarding.borrow_mut();
        with(made.get_or_insert_with(|| {
            let (scheme, connected_to) = (self.scheme(), self.connected_to());
            let networks = &self.worker.config.trusted_proxies;
            Box::new(Forwarding::new(self.peer(), self.local.get(), connected_to, scheme, networks))
        }))
    }

    /// What is spoken with it.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure.get().is_some() { "https" } else { "http" }
    }

    /// The port that it connected to, if a load balancer has told.
    pub(crate) fn connected_to(&self) -> Option<u16> {
        // What the socket is bound to may be another port than the one that the client connected to.
        self.is_proxied.get().then(|| self.local.get().port())
    }

    /// What a proxy that we trust says in a field of a request.
    pub(crate) fn told<'h>(&self, headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
        forwarding::told(self.peer().ip(), headers, name, &self.worker.config.trusted_proxies)
    }

    /// The client's address as endpoints of a route with this edge are told it (`X-Real-IP`); none if a trusted proxy has told
    /// nonsense.
    pub(crate) fn address(&self, edge: Option<&Edge>, headers: &HeaderMap) -> Option<IpAddr> {
        let (peer, networks) = (self.peer().ip(), &*self.worker.config.trusted_proxies);
        match edge {
            Some(edge) => forwarding::edge::client_address(peer, edge, headers, networks),
            None => client_address(peer, headers, networks),
        }
    }

    /// Shows the client's address as it is logged.
    pub(crate) fn with_address(&self, show: impl FnOnce(&[u8])) {
        match &*self.forwarding.borrow() {
            Some(forwarding) => show(forwarding.peer.as_bytes()),
            None => show(self.peer().ip().to_string().as_bytes()),
        }
    }

    /// What the heads of its streams take together.
    pub(crate) fn heads(&self) -> &Heads {
        self.heads.get_or_init(Heads::default)
    }

    /// It is to wait for a long time, and as little as possible is to be kept for it.
    pub(crate) fn rest(&self) {
        self.forwarding.take();
    }
}
