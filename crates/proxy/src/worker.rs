//! A worker: one thread, one runtime, its own connections and its own upstream pools. What a worker owns no other
//! worker touches; they share the published table, the drain, the log, and what is known of overload.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;

use lifecycle::{Phase, Watch};
use model::{Published, RouteTable};
use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval};

use crate::access_log::Logger;
use crate::config::{Config, Listener, Protocol};
use crate::connection::{self, Handshakes, Slots};
use crate::listener;
use crate::metrics::Cells;
use crate::overload::Overload;
use crate::timer::{TICK, Timers};
use crate::upstream::Upstreams;

/// What all connections of one worker share.
pub(crate) struct Worker {
    pub(crate) config: Arc<Config>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) timers: Rc<Timers>,
    pub(crate) upstreams: Upstreams,
    pub(crate) log: Logger,
    pub(crate) drain: Watch,
    pub(crate) handshakes: Handshakes,
    pub(crate) large_heads: Slots,
    pub(crate) overload: Overload,
    /// Requests in flight that this worker may have: its share of all.
    pub(crate) requests_max: u64,
    /// The last time that files ran out, as far as this worker has heard.
    files_mark: Cell<u32>,
    /// Set when what is left is being cut, so that those requests are told apart in the log.
    pub(crate) stopping: Cell<bool>,
    loads: Loads,
    place: usize,
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

    fn of(&self, place: usize) -> usize {
        self.workers[place].load(Ordering::Relaxed)
    }
}

/// A connection on its way to the worker that will serve it.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) protocol: Arc<Protocol>,
}

/// What a worker is made of, before its thread runs.
pub(crate) struct Parts {
    pub(crate) place: usize,
    pub(crate) config: Arc<Config>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) routes: Published<RouteTable>,
    pub(crate) drain: Watch,
    pub(crate) loads: Loads,
    pub(crate) overload: Overload,
    pub(crate) log: Option<SyncSender<Vec<u8>>>,
    pub(crate) accepted: mpsc::UnboundedReceiver<Accepted>,
    /// The first worker accepts for all; the others have no listeners.
    pub(crate) listeners: Vec<Listener>,
    pub(crate) workers: Vec<mpsc::UnboundedSender<Accepted>>,
}

/// A worker's runtime: nothing that runs on it ever leaves its thread.
pub(crate) fn runtime() -> io::Result<LocalRuntime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}

/// Runs a worker to its end and returns how many responses it cut.
pub(crate) fn run(runtime: LocalRuntime, parts: Parts) -> u64 {
    let cells = Arc::clone(&parts.cells);
    runtime.block_on(serve(parts));
    // What is still open ends here; each connection knows whether that cuts a response.
    drop(runtime);
    cells.cut.get()
}

async fn serve(parts: Parts) {
    let Parts { place, config, cells, routes, mut drain, loads, overload, log, .. } = parts;
    let Parts { mut accepted, listeners, workers, .. } = parts;
    let published = Arc::new(Notify::new());
    let told = Arc::clone(&published);
    routes.subscribe(move || told.notify_one());
    let worker = Rc::new(Worker {
        timers: Timers::new(),
        upstreams: Upstreams::new(&routes, Arc::clone(&cells), &config.upstream),
        log: Logger::new(log, Arc::clone(&cells)),
        drain: drain.clone(),
        handshakes: Handshakes::default(),
        large_heads: Slots::new(),
        requests_max: config.downstream.requests_max.div_ceil(config.workers.max(1)) as u64,
        files_mark: Cell::new(overload.files_mark()),
        overload,
        stopping: Cell::new(false),
        loads,
        place,
        config,
        cells,
    });
    worker.log.tick();
    for listener in listeners {
        let (workers, loads, drain) = (workers.clone(), worker.loads.clone(), worker.drain.clone());
        let limits = listener::Limits::new(&worker.config, &worker.overload);
        tokio::task::spawn_local(listener::accept(listener, limits, workers, loads, drain));
    }
    // A worker without senders of its own learns from its empty queue that all listeners are closed.
    drop(workers);

    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut accepting = true;
    while accepting || worker.loads.of(worker.place) > 0 {
        tokio::select! {
            _ = ticks.tick() => worker.tick(),
            () = published.notified() => worker.upstreams.refresh(),
            next = accepted.recv(), if accepting => match next {
                Some(accepted) => worker.spawn(accepted),
                None => accepting = false,
            },
            () = drain.reached(Phase::Stopping) => break,
        }
    }
    worker.stopping.set(true);
}

impl Worker {
    fn tick(&self) {
        self.timers.tick();
        self.upstreams.tick(self.timers.now());
        self.log.tick();
        let mark = self.overload.files_mark();
        if self.files_mark.replace(mark) != mark {
            self.upstreams.close_idle();
        }
    }

    fn spawn(self: &Rc<Self>, accepted: Accepted) {
        let open = Open { worker: Rc::clone(self) };
        self.cells.connections_accepted.add(1);
        self.cells.connections_open.add(1);
        tokio::task::spawn_local(async move {
            connection::serve(&open.worker, accepted).await;
            drop(open);
        });
    }
}

/// Counts a connection as open until it is dropped, however its task ends.
struct Open {
    worker: Rc<Worker>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.worker.cells.connections_open.sub(1);
        self.worker.loads.release(self.worker.place);
    }
}
