//! A worker: one thread, one runtime, its own connections and its own upstream pools. What a worker owns no other worker
//! touches; they share the published table, the drain, the log, and what is known of overload and of clients' limits.
//!
//! Here is what everything on one worker needs: settings, counters, the clock, the log, the drain. What it runs is started in
//! `thread`.

use std::cell::Cell;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lifecycle::Watch;
use tokio::sync::Notify;

use crate::access_log::Logger;
use crate::config::{Config, Protocol};
use crate::limiter::Limiter;
use crate::metrics::Cells;
use crate::overload::Overload;
use crate::passwords::Passwords;
use crate::timer::Timers;
use crate::words::Words;

/// What everything on one worker needs.
pub(crate) struct Worker {
    pub(crate) config: Arc<Config>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) timers: Rc<Timers>,
    pub(crate) log: Logger,
    pub(crate) drain: Watch,
    pub(crate) overload: Overload,
    /// What is remembered of clients that have limits.
    pub(crate) limiter: Limiter,
    pub(crate) passwords: Passwords,
    pub(crate) words: Words,
    /// Bodies of answers that it compresses just now.
    pub(crate) bodies_compressed: Rc<Cell<u32>>,
    /// Requests in flight that this worker may have: its share of all.
    pub(crate) requests_max: u64,
    /// Set when what is left is being cut, so that those requests are told apart in the log.
    pub(crate) stopping: Cell<bool>,
    /// Which of the workers it is, and what all of them have to do.
    pub(crate) place: usize,
    pub(crate) loads: Loads,
}

/// Open connections of each worker: what accepted connections are spread by.
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    workers: Arc<[AtomicUsize]>,
    none_left: Arc<Notify>,
}

impl Loads {
    pub(crate) fn new(workers: usize) -> Loads {
        let workers = (0..workers).map(|_| AtomicUsize::new(0)).collect();
        Loads { workers, none_left: Arc::default() }
    }

    /// Open connections of all workers.
    pub(crate) fn total(&self) -> usize {
        self.workers.iter().map(|load| load.load(Ordering::SeqCst)).sum()
    }

    /// Waits until there is none. While clients are accepted, there may be some again at once.
    pub(crate) async fn none(&self) {
        loop {
            let mut left = pin!(self.none_left.notified());
            left.as_mut().enable();
            if self.total() == 0 {
                return;
            }
            left.await;
        }
    }

    /// Counts one more connection, for the worker that has the fewest.
    pub(crate) fn assign(&self) -> usize {
        let loads = self.workers.iter().enumerate();
        let place = loads.min_by_key(|(_, load)| load.load(Ordering::Relaxed)).map_or(0, |(place, _)| place);
        self.workers[place].fetch_add(1, Ordering::Relaxed);
        place
    }

    pub(crate) fn release(&self, place: usize) {
        // The last of a worker looks whether it is the last of all: in one order for all, so that one of them sees it.
        if self.workers[place].fetch_sub(1, Ordering::SeqCst) == 1 && self.total() == 0 {
            self.none_left.notify_waiters();
        }
    }

    /// Open connections of this one.
    pub(crate) fn of(&self, place: usize) -> usize {
        self.workers[place].load(Ordering::Relaxed)
    }
}

/// A connection on its way to the worker that will serve it.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) protocol: Arc<Protocol>,
}
