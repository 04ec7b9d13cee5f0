//! A worker's thread: takes accepted connections, keeps the clock, follows publications, and ends when the drain is over.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use lifecycle::{Phase, Watch};
use model::{Published, RouteTable};
use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval};

use crate::access_log::Logger;
use crate::config::{Config, Listener};
use crate::connection::{self, Server};
use crate::limiter::Limiter;
use crate::listener;
use crate::metrics::Cells;
use crate::overload::Overload;
use crate::passwords::Passwords;
use crate::timer::{TICK, Timers};
use crate::upstream::Upstreams;
use crate::words::Words;
use crate::worker::{Accepted, Loads, Worker};

/// What a worker is made of, before its thread runs.
pub(crate) struct Parts {
    pub(crate) place: usize,
    pub(crate) config: Arc<Config>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) routes: Published<RouteTable>,
    pub(crate) drain: Watch,
    pub(crate) loads: Loads,
    pub(crate) overload: Overload,
    pub(crate) limiter: Limiter,
    pub(crate) log: Option<SyncSender<Vec<u8>>>,
    pub(crate) accepted: mpsc::UnboundedReceiver<Accepted>,
    /// The first worker accepts for all; the others have no listeners.
    pub(crate) listeners: Vec<Listener>,
    pub(crate) workers: Vec<mpsc::UnboundedSender<Accepted>>,
    /// And those that come later.
    pub(crate) later: Option<mpsc::UnboundedReceiver<Listener>>,
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
    let Parts { mut accepted, listeners, workers, later, limiter, .. } = parts;
    let published = Arc::new(Notify::new());
    let told = Arc::clone(&published);
    routes.subscribe(move || told.notify_one());
    let upstreams = Upstreams::new(&routes, Arc::clone(&cells), &config.upstream);
    let mut files_mark = overload.files_mark();
    let worker = Rc::new(Worker {
        timers: Timers::new(),
        log: Logger::new(log, Arc::clone(&cells)),
        drain: drain.clone(),
        requests_max: config.downstream.requests_max.div_ceil(config.workers.max(1)) as u64,
        overload,
        limiter,
        passwords: Passwords::new(),
        words: Words::default(),
        bodies_compressed: Rc::default(),
        stopping: Cell::new(false),
        place,
        loads,
        config,
        cells,
    });
    let server = Rc::new(Server::new(&worker, upstreams));
    worker.log.tick();
    for listener in listeners {
        let (workers, loads, drain) = (workers.clone(), worker.loads.clone(), worker.drain.clone());
        let limits = listener::Limits::new(&worker.config, &worker.overload);
        tokio::task::spawn_local(listener::accept(listener, limits, workers, loads, drain));
    }
    if let Some(later) = later {
        let workers = workers.iter().map(mpsc::UnboundedSender::downgrade).collect();
        tokio::task::spawn_local(listener::accept_later(later, workers, Rc::clone(&worker)));
    }
    // A worker without senders of its own learns from its empty queue that all listeners are closed.
    drop(workers);

    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut accepting = true;
    while accepting || worker.loads.of(worker.place) > 0 {
        tokio::select! {
            _ = ticks.tick() => tick(&server, &mut files_mark),
            () = published.notified() => server.upstreams.refresh(),
            next = accepted.recv(), if accepting => match next {
                Some(accepted) => spawn(&server, accepted),
                None => accepting = false,
            },
            () = drain.reached(Phase::Stopping) => break,
        }
    }
    worker.stopping.set(true);
}

fn tick(server: &Server, files_mark: &mut u32) {
    let Server { worker, upstreams, .. } = server;
    worker.timers.tick();
    upstreams.tick(worker.timers.now());
    worker.log.tick();
    // Files have run out since this worker has looked last.
    let mark = worker.overload.files_mark();
    if std::mem::replace(files_mark, mark) != mark {
        upstreams.close_idle();
    }
}

fn spawn(server: &Rc<Server>, accepted: Accepted) {
    let open = Open { server: Rc::clone(server) };
    server.worker.cells.connections_accepted.add(1);
    server.worker.cells.connections_open.add(1);
    tokio::task::spawn_local(async move {
        match accepted.protocol.tcp_service {
            Some(port) => Box::pin(connection::tcp_service::serve(&open.server, accepted, port)).await,
            None => connection::serve(&open.server, accepted).await,
        }
        drop(open);
    });
}

/// Counts a connection as open until it is dropped, however its task ends.
struct Open {
    server: Rc<Server>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let worker = &self.server.worker;
        worker.cells.connections_open.sub(1);
        worker.loads.release(worker.place);
    }
}
