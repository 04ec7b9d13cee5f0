//! What clients have met with, counted; what they have lost, each told.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Kind;
use crate::exchange::Loss;

/// One lost request.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) at: Instant,
    pub(crate) kind: Kind,
    pub(crate) loss: Loss,
    /// What was asked for, as no other request was; empty if there was no connection.
    pub(crate) target: String,
    /// The client's address; none if there was no connection.
    pub(crate) connection: Option<SocketAddr>,
    /// When the connection was opened.
    pub(crate) opened: Instant,
    /// How many requests the connection had carried before.
    pub(crate) carried: u64,
    /// How long the connection had been idle.
    pub(crate) idle: Duration,
    /// Where it went.
    pub(crate) node: Option<SocketAddr>,
    /// Why nothing could have saved it.
    pub(crate) excuse: Option<&'static str>,
}

impl Lost {
    /// One without a connection.
    pub(crate) fn now(kind: Kind) -> Self {
        let (at, loss, idle) = (Instant::now(), Loss::Refused, Duration::ZERO);
        let target = String::new();
        Self {
            at,
            kind,
            loss,
            target,
            connection: None,
            opened: at,
            carried: 0,
            idle,
            node: None,
            excuse: None,
        }
    }
}

/// What clients of one kind have met with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    pub(crate) answered: u64,
    pub(crate) connections: u64,
    /// Told `Connection: close`, and left.
    pub(crate) told_to_close: u64,
    pub(crate) slowest: Duration,
}

/// Shared by all clients.
#[derive(Debug)]
pub(crate) struct Tally {
    idle_timeout: Duration,
    standstill: Mutex<Duration>,
    counts: Mutex<BTreeMap<Kind, Count>>,
    all_lost: Mutex<Vec<Lost>>,
    cut: Mutex<BTreeMap<SocketAddr, Instant>>,
    outages: Mutex<Vec<Outage>>,
}

/// A time in which no process listened on a node, because the only one that did was killed.
#[derive(Debug)]
struct Outage {
    node: Ipv4Addr,
    began: Instant,
    ended: Instant,
}

impl Outage {
    /// Whether this client was refused, or its connection not accepted.
    fn has(&self, lost: &Lost) -> bool {
        let is_there = lost.node.is_some_and(|node| node.ip() == self.node);
        is_there && lost.carried == 0 && (self.began..self.ended + OUTAGE_MARGIN).contains(&lost.at)
    }
}

/// A loss is noted by the client a little after it has happened.
const OUTAGE_MARGIN: Duration = Duration::from_millis(500);

impl Tally {
    /// For gates with this idle timeout.
    pub(crate) fn new(idle_timeout: Duration) -> Self {
        let (counts, all_lost, cut, outages) = Default::default();
        Self { idle_timeout, standstill: Mutex::default(), counts, all_lost, cut, outages }
    }

    /// Says that this process was not run for so long.
    pub(crate) fn stood_still(&self, time: Duration) {
        let mut longest = lock(&self.standstill);
        *longest = time.max(*longest);
    }

    /// The longest such time.
    pub(crate) fn longest_standstill(&self) -> Duration {
        *lock(&self.standstill)
    }

    pub(crate) fn count(&self, kind: Kind, change: impl FnOnce(&mut Count)) {
        change(lock(&self.counts).entry(kind).or_default());
    }

    pub(crate) fn lose(&self, lost: Lost) {
        lock(&self.all_lost).push(lost);
    }

    /// Says that a process was killed that held the connections of these clients: those could not be saved.
    pub(crate) fn excuse(&self, clients: impl IntoIterator<Item = SocketAddr>) {
        let now = Instant::now();
        lock(&self.cut).extend(clients.into_iter().map(|client| (client, now)));
    }

    /// Says that no process could listen on a node, since the only one that did was killed.
    pub(crate) fn excuse_outage(&self, node: Ipv4Addr, began: Instant, ended: Instant) {
        lock(&self.outages).push(Outage { node, began, ended });
    }

    pub(crate) fn counts(&self) -> BTreeMap<Kind, Count> {
        lock(&self.counts).clone()
    }

    /// All losses; those of connections that a killed process held are excused.
    pub(crate) fn all_lost(&self) -> Vec<Lost> {
        let (mut all, cut, outages) = (lock(&self.all_lost).clone(), lock(&self.cut), lock(&self.outages));
        for lost in &mut all {
            let cut_at = lost.connection.and_then(|client| cut.get(&client));
            // The same address may come again, on a connection that was opened later.
            if cut_at.is_some_and(|cut_at| lost.opened < *cut_at) {
                lost.excuse = Some("its connection was held by a process that was killed");
            } else if outages.iter().any(|outage| outage.has(lost)) {
                lost.excuse = Some("the only process that listened was killed");
            } else if lost.idle >= self.idle_timeout {
                lost.excuse = Some("its client was silent for longer than it may be");
            }
        }
        all
    }

    /// Those that need not have been.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        self.all_lost().into_iter().filter(|lost| lost.excuse.is_none()).collect()
    }

    pub(crate) fn answered(&self) -> u64 {
        lock(&self.counts).values().map(|count| count.answered).sum()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
