//! Endpoints that speak HTTP/2: many requests share a connection, and there are as many connections as they need.
//!
//! Unlike one of HTTP/1 such a connection has a task of its own, since no single request could drive it for the others.
//! One at a time is opened for each endpoint; all that need it wait for the same one. Where there are as many as there may
//! be, requests wait until another one has left its slot.
//!
//! A connection that has ended, or whose endpoint has said goodbye, is never chosen again. What has begun on it goes on.

mod opening;
mod slot;
mod watched;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use self::opening::{Driver, Opening};
pub(super) use self::slot::OpenStream;
pub(crate) use self::slot::StreamSlot;
use self::watched::Seen;
use super::body::RequestBody;
use super::pool::{EndpointPool, Reuse};
use crate::client::Carrier;
use crate::error::Refusal;

/// Connections of one endpoint, as one worker uses them.
#[derive(Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Rc<Connection>>>,
    opening: RefCell<Option<Rc<Opening>>>,
    /// How many were opened so far.
    opened: Cell<u64>,
    /// Tells requests that wait that there may be a slot, or room for one more connection.
    freed: Rc<Notify>,
}

struct Connection {
    sender: SendRequest<RequestBody>,
    /// Knows how many streams the endpoint takes. Gone when it has ended, and with it the requests that it kept back.
    driver: Rc<RefCell<Option<Driver>>>,
    driving: AbortHandle,
    seen: Rc<Seen>,
    /// Connections that were opened before it.
    place: u64,
    requests: Cell<usize>,
    has_carried: Cell<bool>,
    /// When it last was given a request, or was seen with one.
    used: Cell<u32>,
    /// Until then others are preferred: it has just refused a request.
    full_until: Cell<u32>,
    handed: Handed,
    /// That of all connections of the endpoint.
    freed: Rc<Notify>,
}

/// What became of the requests that hyper was handed since the connection carried none. They are written in their order.
#[derive(Default)]
struct Handed {
    requests: Cell<u64>,
    /// Of which it is not known whether they were written, and no longer matters.
    given_up: Cell<u64>,
    /// As many were written when that was last looked at, and since when it is so.
    written: Cell<(u64, u32)>,
}

impl Connection {
    /// It carries nothing. One that never did has just been opened for a request that is about to take its slot.
    fn is_idle(&self) -> bool {
        self.requests.get() == 0 && self.has_carried.get()
    }

    /// Whether no request may begin on it any more.
    fn is_leaving(&self) -> bool {
        self.seen.is_leaving() || self.sender.is_closed()
    }

    /// Streams that the endpoint takes at a time.
    fn streams_max(&self) -> usize {
        self.driver.borrow().as_ref().map_or(0, Driver::current_max_send_streams)
    }

    /// Whether some request waits to be written, and none was for so long: the endpoint has taken back what it said of how
    /// many it takes, or it reads nothing.
    fn is_stuck(&self, now: u32, time: u32) -> bool {
        let written = self.seen.written();
        let all_written = written + self.handed.given_up.get() >= self.handed.requests.get();
        let (before, since) = self.handed.written.get();
        if all_written || written != before {
            self.handed.written.set((written, now));
            return false;
        }
        now.saturating_sub(since) >= time
    }

    /// Gives back the requests that were not written, so that they can go elsewhere. Others go on.
    fn give_up_unwritten(&self) {
        self.driving.abort();
        self.driver.take();
        self.seen.leave();
    }
}

/// What a request wants of the connection that is to carry it.
struct Wanted {
    reuse: Reuse,
    /// Connections that had been opened when it began to look for one. All others are fresh, whatever they carry.
    opened: u64,
    now: u32,
    streams_max: usize,
}

impl Wanted {
    fn has_room(&self, connection: &Connection) -> bool {
        connection.requests.get() < self.streams_max.min(connection.streams_max())
    }

    fn is_safe(&self, connection: &Connection) -> bool {
        let is_young = |ticks| self.now.saturating_sub(connection.used.get()) < ticks;
        let may_be_reused = match self.reuse {
            Reuse::Young(ticks) => connection.requests.get() > 0 || is_young(ticks),
            Reuse::Any => true,
            Reuse::No => false,
        };
        let is_fresh = connection.place >= self.opened || !connection.has_carried.get();
        (is_fresh || may_be_reused) && connection.full_until.get() <= self.now
    }
}

impl Connections {
    /// A slot on the first connection that has one and is fit, so that those which are not needed become idle.
    fn slot(&self, wanted: &Wanted, is_fit: impl Fn(&Wanted, &Connection) -> bool) -> Option<StreamSlot> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.is_leaving());
        let fits = |connection: &&Rc<Connection>| wanted.has_room(connection) && is_fit(wanted, connection);
        let connection = Rc::clone(open.iter().find(fits)?);
        connection.used.set(wanted.now);
        Some(StreamSlot::take(connection, wanted.opened))
    }

    /// Whether there are as many as there may be. One that carries nothing makes room for another one.
    fn are_all_busy(&self, connections_max: usize) -> bool {
        let mut open = self.open.borrow_mut();
        if open.len() >= connections_max
            && let Some(idle) = open.iter().position(|connection| connection.is_idle())
        {
            open.swap_remove(idle);
        }
        open.len() >= connections_max
    }

    /// Lets go of all that carry nothing.
    pub(super) fn close_idle(&self) {
        self.open.borrow_mut().retain(|connection| !connection.is_idle());
    }

    /// Lets go of connections that carry nothing and did so for this long, and of those on which nothing can begin.
    pub(super) fn sweep(&self, now: u32, age_max: u32, stuck_max: u32) {
        self.open.borrow_mut().retain(|connection| {
            if connection.requests.get() > 0 {
                connection.used.set(now);
            }
            if connection.is_stuck(now, stuck_max) {
                connection.give_up_unwritten();
            }
            let idle = now.saturating_sub(connection.used.get());
            !connection.is_leaving() && (connection.requests.get() > 0 || idle < age_max)
        });
        // An endpoint may have begun to take more requests on a connection, which is not told.
        self.freed.notify_waiters();
    }

    /// Nothing begins on any of them any more; what has begun goes on.
    pub(super) fn retire(&self) {
        self.open.take();
        self.freed.notify_waiters();
    }
}

/// A slot for a request on one of the endpoint's connections. It waits while one is opened, or until one is free, and no longer
/// than this time. A connection that is being opened, for whichever requests, has the proxy's own.
///
/// # Errors
/// As for a connection of HTTP/1: nothing was sent. [`Refusal::EndpointBusy`]: there may be no more connections, and no
/// slot became free in time.
pub(crate) async fn take_slot(
    carrier: &Carrier,
    endpoint: &Rc<EndpointPool>,
    reuse: Reuse,
    time: Duration,
) -> Result<StreamSlot, Refusal> {
    let (worker, connections) = (carrier.worker(), &endpoint.http2);
    let limits = &worker.config.upstream;
    let opened = connections.opened.get();
    let mut deadline = None;
    let mut deadline = || *deadline.get_or_insert_with(|| Instant::now() + time);
    loop {
        let (now, streams_max) = (worker.timers.now(), limits.http2.streams_max);
        let wanted = Wanted { reuse, opened, now, streams_max };
        // Made before the look, so that what happens after it is not missed.
        let freed = connections.freed.notified();
        if let Some(slot) = connections.slot(&wanted, Wanted::is_safe) {
            return Ok(slot);
        }
        let is_opening = connections.opening.borrow().is_some();
        if is_opening || !connections.are_all_busy(limits.http2.connections_max) {
            let opening = connections.opening(endpoint, worker);
            timeout_at(deadline(), opening.wait(carrier)).await.unwrap_or(Err(Refusal::ConnectTimeout))?;
            continue;
        }
        // All of them carry requests just now, so they live: a fresh one would be no safer.
        if let Some(slot) = connections.slot(&wanted, |_, _| true) {
            return Ok(slot);
        }
        timeout_at(deadline(), freed).await.map_err(|_| Refusal::EndpointBusy)?;
    }
}
