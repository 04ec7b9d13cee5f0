//! The data plane: from the bytes of a client to the bytes of an endpoint and back.
//!
//! Owns: listeners, client connections, the phases of a request, upstream pools, retries, deadlines, and the one place
//! where an error becomes a response.
//! Never: Kubernetes or AWS; it knows a route table that is published to it, and a drain that is started.
//! Start at [`start`], then follow a request: `listener` → `connection` → `request`.
//!
//! # The order of its modules
//!
//! Each may use those before it, and none behind it; `cargo xtask lint` sees to that. First what knows nothing of
//! connections:
//!
//! - `error`: what can go wrong, a closed set
//! - `field`: the grammar of fields
//! - `config`: what can be set
//! - `timer`: coarse deadlines
//! - `stream`: a socket, with TLS or without
//! - `keepalive`: what the kernel watches
//! - `headers`: which fields cross a hop, and how
//! - `frames`: where the frames of HTTP/2 begin
//! - `proxy_header`: the PROXY protocol, read and written
//! - `grpc`: what is special about calls
//! - `metrics`: what is counted
//! - `overload`: what is turned away when there is too much
//! - `limiter`: how often clients came of late, where a route limits them
//! - `passwords`: whether a password is the right one
//! - `words`: what other servers have said of requests, kept for a while
//! - `access_log`: a line for each request
//! - `guard`: the strict reading of HTTP/1
//! - `forwarding`: what upstreams are told about a client
//!
//! Then the two sides, and what goes between them:
//!
//! - `worker`: what everything on one thread needs
//! - `client`: what is known of a client while its connection lasts, and what carries a request
//! - `upstream`: pools of connections to endpoints, and how a request is sent on one
//! - `exchange`: one request and its answer
//! - `answer_filter`: what a route does with the head of an answer, an endpoint's or ours
//! - `body`: an answer's body on its way to a client
//! - `tunnel`: what an exchange becomes by an upgrade
//! - `respond`: answers of our own
//! - `request`: the walk of a request
//!
//! And what sets all of it in motion:
//!
//! - `listener`: accepts connections
//! - `connection`: the life of a client's connection
//! - `thread`: a worker's thread
//! - `fuzzing`: what fuzz targets see

mod access_log;
mod answer_filter;
mod body;
mod client;
mod config;
mod connection;
mod error;
mod exchange;
mod field;
mod forwarding;
mod frames;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod grpc;
mod guard;
mod headers;
mod keepalive;
mod limiter;
mod listener;
mod metrics;
mod overload;
mod passwords;
mod proxy_header;
mod request;
mod respond;
mod stream;
mod thread;
mod timer;
mod tunnel;
mod upstream;
mod words;
mod worker;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use model::{Published, RouteTable};
use tokio::sync::mpsc;

pub use config::{AccessLog, Config, Downstream, Http2, Listener, Protocol, Tls, Upstream, UpstreamHttp2};
pub use metrics::Metrics;
pub use overload::Overload;

use crate::limiter::Limiter;
use crate::metrics::Cells;
use crate::thread::Parts;
use crate::worker::Loads;

/// Starts the workers. They accept on `listeners` at once and serve what `routes` holds at each request.
///
/// # Errors
/// If a thread, a runtime or the access log's file cannot be had.
pub fn start(
    config: Config,
    listeners: Vec<impl Into<Listener>>,
    routes: Published<RouteTable>,
    drain: lifecycle::Watch,
) -> io::Result<Proxy> {
    let listeners: Vec<Listener> = listeners.into_iter().map(Into::into).collect();
    listeners.iter().try_for_each(|listener| listener::prepare(&listener.socket))?;
    let (log, writer) = access_log::open(&config.access_log)?.unzip();
    let config = Arc::new(config);
    let count = config.workers.max(1);
    let cells: Vec<Arc<Cells>> = (0..count).map(|_| Arc::default()).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
    let (loads, overload, limiter) = (Loads::new(count), Overload::default(), Limiter::new());
    let (done, ended) = mpsc::unbounded_channel();
    let (mut listeners, mut workers) = (Some(listeners), Some(senders));
    let (listen, later) = mpsc::unbounded_channel();
    let mut later = Some(later);
    // The first worker accepts for all: it starts last, when there are workers to accept for.
    for (place, accepted) in receivers.into_iter().enumerate().rev() {
        let first = place == 0;
        let parts = Parts {
            place,
            config: Arc::clone(&config),
            cells: Arc::clone(&cells[place]),
            routes: routes.clone(),
            drain: drain.clone(),
            loads: loads.clone(),
            overload: overload.clone(),
            limiter: limiter.clone(),
            log: log.clone(),
            accepted,
            listeners: listeners.take_if(|_| first).unwrap_or_default(),
            workers: workers.take_if(|_| first).unwrap_or_default(),
            later: later.take_if(|_| first),
        };
        spawn(parts, Done { tell: done.clone(), cut: None })?;
    }
    Ok(Proxy { metrics: Metrics::new(cells), overload, loads, workers: count, listen, ended, writer })
}

/// Starts a worker's thread and waits until it has its runtime.
fn spawn(parts: Parts, done: Done) -> io::Result<()> {
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name(format!("worker-{}", parts.place)).spawn(
        move || match thread::runtime() {
            Ok(runtime) => {
                let _ = ready.send(Ok(()));
                done.with(thread::run(runtime, parts));
            }
            Err(error) => drop(ready.send(Err(error))),
        },
    )?;
    started.recv().unwrap_or_else(|_| Err(io::Error::other("a worker ended before it began")))
}

/// Tells of a worker's end, also if that is a panic.
struct Done {
    tell: mpsc::UnboundedSender<Option<u64>>,
    cut: Option<u64>,
}

impl Done {
    fn with(mut self, cut: u64) {
        self.cut = Some(cut);
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        let _ = self.tell.send(self.cut);
    }
}

/// The running data plane.
#[derive(Debug)]
pub struct Proxy {
    metrics: Metrics,
    overload: Overload,
    loads: Loads,
    workers: usize,
    listen: mpsc::UnboundedSender<Listener>,
    ended: mpsc::UnboundedReceiver<Option<u64>>,
    writer: Option<JoinHandle<()>>,
}

impl Proxy {
    /// What the workers count.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Where the workers are told that memory is short.
    pub fn overload(&self) -> Overload {
        self.overload.clone()
    }

    /// Where listeners are given that are to be accepted on, too.
    pub fn listen(&self) -> Listen {
        Listen(self.listen.clone())
    }

    /// Where to wait until no client is connected.
    pub fn deserted(&self) -> Deserted {
        Deserted(self.loads.clone())
    }

    /// Waits until the drain is over and the workers have ended, and the access log is written.
    ///
    /// # Errors
    /// If a worker has panicked: its connections are gone, and what it should accept is not served.
    pub async fn finished(mut self) -> io::Result<Report> {
        let mut report = Report::default();
        for _ in 0..self.workers {
            match self.ended.recv().await {
                Some(Some(cut)) => report.cut += cut,
                _ => return Err(io::Error::other("a worker has panicked")),
            }
        }
        if let Some(writer) = self.writer {
            access_log::written(&writer).await;
        }
        Ok(report)
    }
}

/// Takes listeners while the workers serve. Each closes as those that they began with, or when it is given up.
#[derive(Clone, Debug)]
pub struct Listen(mpsc::UnboundedSender<Listener>);

impl Listen {
    /// Accepts on one more. Once the first ones are closed it is closed at once.
    ///
    /// # Errors
    /// If the socket cannot be made fit for that.
    pub fn on(&self, listener: Listener) -> io::Result<()> {
        listener::prepare(&listener.socket)?;
        let _ = self.0.send(listener);
        Ok(())
    }
}

/// Knows whether any client is connected.
#[derive(Clone, Debug)]
pub struct Deserted(Loads);

impl Deserted {
    /// Waits until none is. While clients are accepted, one may be at once.
    pub async fn wait(&self) {
        self.0.none().await;
    }
}

/// What a drain came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Requests that were in flight when the process stopped.
    pub cut: u64,
}
