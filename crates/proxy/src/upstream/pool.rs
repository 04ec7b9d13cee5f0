//! Upstream connections, by endpoint: the idle ones of HTTP/1, and all of HTTP/2.
//!
//! A pool belongs to an endpoint's identity, not to its address: when a pod's address is used again by another pod, the
//! new endpoint begins with an empty pool. Idle connections of HTTP/1 have no task of their own; they are looked at when they are
//! taken and once a second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use model::{Backend, Endpoint, EndpointKey, Protocol};

use super::http1::Http1Connection;
use super::http2::{Connections, StreamSlot};
use super::transport::Transport;
use crate::client::{Client, Identity};
use crate::metrics::BackendCells;

/// One backend's endpoints, as one worker uses them.
pub(crate) struct BackendPool {
    pub(crate) cells: Arc<BackendCells>,
    backend: RefCell<Arc<Backend>>,
    transport: RefCell<Rc<Transport>>,
    pub(super) endpoints: RefCell<Vec<Rc<EndpointPool>>>,
    /// The turn of round-robin.
    pub(super) turn: Cell<usize>,
}

/// One endpoint, as one worker uses it.
pub(crate) struct EndpointPool {
    pub(crate) key: EndpointKey,
    /// What keys are weighed with, and cookies name it by.
    pub(super) digest: u64,
    /// How it is spoken to.
    pub(crate) transport: Rc<Transport>,
    /// Its address as text, for the access log.
    pub(crate) address: Box<str>,
    /// Requests of this worker that the endpoint has not yet answered whole.
    pub(super) in_flight: Cell<u32>,
    /// Until this tick others are preferred: it has just refused a connection.
    pub(super) avoid_until: Cell<u32>,
    idle: RefCell<Vec<Idle>>,
    pub(super) http2: Connections,
    /// No longer in the table: nothing comes back into the pool.
    retired: Cell<bool>,
}

struct Idle {
    connection: Box<Http1Connection>,
    since: u32,
    /// The client that it is for, where the endpoint was told of one.
    owner: Option<Identity>,
}

/// Which idle connections a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Any: if it turns out to be dead, the request can be sent again.
    Any,
    /// Only one that was in use within this many ticks: the request could not be sent again, and an upstream may be
    /// closing one that has been idle for longer.
    Young(u32),
    /// None; of HTTP/2 one that others opened while it waited for one is as good as its own.
    No,
}

impl BackendPool {
    pub(super) fn new(
        backend: &Arc<Backend>,
        transport: Rc<Transport>,
        cells: Arc<BackendCells>,
    ) -> BackendPool {
        let endpoint = |endpoint| EndpointPool::new(endpoint, &transport);
        let endpoints = backend.usable().iter().map(endpoint).collect();
        let turn = Cell::new(fastrand::usize(..));
        BackendPool {
            cells,
            backend: RefCell::new(Arc::clone(backend)),
            transport: RefCell::new(transport),
            endpoints: RefCell::new(endpoints),
            turn,
        }
    }

    /// Follows a publication: endpoints that stay keep their connections, those that do not lose the idle ones. So do all
    /// if from now on they are spoken to in another way.
    pub(super) fn update(&self, backend: &Arc<Backend>, transport: impl FnOnce() -> Rc<Transport>) {
        if Arc::ptr_eq(&self.backend.borrow(), backend) {
            return;
        }
        let transport = transport();
        let is_same = transport.is_as_good_as(&self.transport.borrow());
        if !is_same {
            self.transport.replace(Rc::clone(&transport));
        }
        let mut endpoints = self.endpoints.borrow_mut();
        if self.backend.borrow().usable() != backend.usable() || !is_same {
            let transport = self.transport.borrow();
            let mut before: std::collections::HashMap<_, _> =
                endpoints.drain(..).map(|endpoint| (endpoint.key.clone(), endpoint)).collect();
            endpoints.extend(backend.usable().iter().map(|endpoint| {
                let kept = if is_same { before.remove(&endpoint.key) } else { None };
                kept.unwrap_or_else(|| EndpointPool::new(endpoint, &transport))
            }));
            before.values().for_each(|gone| gone.retire());
        }
        self.backend.replace(Arc::clone(backend));
    }

    /// Whether no endpoint takes requests.
    pub(crate) fn has_no_endpoint(&self) -> bool {
        self.endpoints.borrow().is_empty()
    }

    /// What is spoken with its endpoints.
    pub(crate) fn protocol(&self) -> Protocol {
        self.transport.borrow().protocol
    }

    /// Whether it has an endpoint like this.
    pub(crate) fn has(&self, is_one: impl FnMut(&Rc<EndpointPool>) -> bool) -> bool {
        self.endpoints.borrow().iter().any(is_one)
    }

    pub(super) fn retire(&self) {
        self.endpoints.borrow().iter().for_each(|endpoint| endpoint.retire());
    }

    pub(super) fn close_idle(&self) {
        for endpoint in self.endpoints.borrow().iter() {
            endpoint.idle.take();
            endpoint.http2.close_idle();
        }
    }

    pub(super) fn sweep(&self, now: u32, age_max: u32, stuck_max: u32) {
        for endpoint in self.endpoints.borrow().iter() {
            let keep = |idle: &mut Idle| {
                let has_use = !idle.owner.as_ref().is_some_and(Identity::is_gone);
                now.saturating_sub(idle.since) < age_max && has_use && idle.connection.is_open()
            };
            endpoint.idle.borrow_mut().retain_mut(keep);
            endpoint.http2.sweep(now, age_max, stuck_max);
        }
    }
}

impl EndpointPool {
    fn new(endpoint: &Endpoint, transport: &Rc<Transport>) -> Rc<EndpointPool> {
        Rc::new(EndpointPool {
            key: endpoint.key.clone(),
            digest: endpoint.key.digest(),
            transport: Rc::clone(transport),
            address: endpoint.key.address.to_string().into(),
            in_flight: Cell::new(0),
            avoid_until: Cell::new(0),
            idle: RefCell::default(),
            http2: Connections::default(),
            retired: Cell::new(false),
        })
    }

    fn retire(&self) {
        self.retired.set(true);
        self.idle.take();
        self.http2.retire();
    }

    /// Whether nothing speaks against it: it has not just refused a connection.
    pub(super) fn is_good(&self, now: u32) -> bool {
        self.avoid_until.get() <= now
    }

    /// Prefers others until `tick`.
    pub(crate) fn avoid_until(&self, tick: u32) {
        self.avoid_until.set(tick);
    }

    /// Counts one more request in flight, and takes an idle connection if there is a fit one: the one used last, whose
    /// memory is warm and whose upstream is least likely to have grown tired of it. Where endpoints are told of the client,
    /// only its own are fit.
    pub(crate) fn lease(self: &Rc<Self>, client: &Client, reuse: Reuse, now: u32) -> Lease {
        self.in_flight.set(self.in_flight.get() + 1);
        let fits = |since: u32| match reuse {
            Reuse::Any => true,
            Reuse::Young(ticks) => now.saturating_sub(since) < ticks,
            Reuse::No => false,
        };
        let owner = self.transport.proxy_header.map(|_| client.identity());
        let mut idle = self.idle.borrow_mut();
        let mut connection = None;
        while connection.is_none()
            && let Some(last) = idle.iter().rposition(|idle| idle.owner == owner)
            && fits(idle[last].since)
        {
            let mut last = idle.remove(last);
            connection = last.connection.is_open().then_some(last.connection);
        }
        let reused = connection.is_some();
        Lease { endpoint: Rc::clone(self), connection, slot: None, owner, reused, is_upgraded: false }
    }
}

/// A request's hold on an endpoint, and on the connection that carries it.
pub(crate) struct Lease {
    pub(crate) endpoint: Rc<EndpointPool>,
    pub(crate) connection: Option<Box<Http1Connection>>,
    /// With HTTP/2, its share of one.
    pub(crate) slot: Option<StreamSlot>,
    owner: Option<Identity>,
    /// Whether the connection has carried an earlier request.
    pub(crate) reused: bool,
    /// Whether the endpoint has agreed to an upgrade, so that it carries no other.
    pub(crate) is_upgraded: bool,
}

impl Lease {
    /// Puts the connection back if it can carry another request.
    pub(crate) fn give_back(mut self, now: u32, idle_max: usize) {
        let mut idle = self.endpoint.idle.borrow_mut();
        if !self.endpoint.retired.get()
            && idle.len() < idle_max
            && let Some(connection) = self.connection.take_if(|connection| connection.is_at_rest())
        {
            idle.push(Idle { connection, since: now, owner: self.owner.take() });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint.in_flight.set(self.endpoint.in_flight.get() - 1);
    }
}
