//! The data plane: from the bytes of a client to the bytes of an endpoint and back.
//!
//! Owns: listeners, client connections, the phases of a request, upstream pools, retries, deadlines, and the one place
//! where an error becomes a response.
//! Never: Kubernetes or AWS; it knows a route table that somebody publishes, and a drain that somebody starts.
//! Start at [`start`], then follow a request: `listener` → `connection` → `request`.

mod access_log;
mod body;
mod config;
mod connection;
mod error;
mod listener;
mod metrics;
mod request;
mod respond;
mod timer;
mod upstream;
mod worker;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use model::{Published, RouteTable};
use tokio::sync::{mpsc, oneshot};

pub use config::{AccessLog, Config, Downstream, Upstream};
pub use metrics::Metrics;

use crate::metrics::Cells;
use crate::worker::{Loads, Parts};

/// Starts the workers. They accept on `listeners` at once and serve what `routes` holds at each request.
///
/// # Errors
/// If a thread, a runtime or the access log's file cannot be had.
pub fn start(
    config: Config,
    listeners: Vec<TcpListener>,
    routes: Published<RouteTable>,
    drain: lifecycle::Watch,
) -> io::Result<Proxy> {
    listeners.iter().try_for_each(listener::prepare)?;
    let log = access_log::open(&config.access_log)?;
    let config = Arc::new(config);
    let count = config.workers.max(1);
    let cells: Vec<Arc<Cells>> = (0..count).map(|_| Arc::default()).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
    let loads = Loads::new(count);
    let (mut listeners, mut workers) = (Some(listeners), Some(senders));
    let mut ended = Vec::new();
    for (place, accepted) in receivers.into_iter().enumerate() {
        ended.push(spawn(Parts {
            place,
            config: Arc::clone(&config),
            cells: Arc::clone(&cells[place]),
            routes: routes.clone(),
            drain: drain.clone(),
            loads: loads.clone(),
            log: log.clone(),
            accepted,
            listeners: listeners.take().unwrap_or_default(),
            workers: workers.take().unwrap_or_default(),
        })?);
    }
    Ok(Proxy { metrics: Metrics::new(cells), ended })
}

fn spawn(parts: Parts) -> io::Result<oneshot::Receiver<u64>> {
    let (done, ended) = oneshot::channel();
    thread::Builder::new().name(format!("worker-{}", parts.place)).spawn(move || {
        match worker::run(parts) {
            Ok(cut) => drop(done.send(cut)),
            Err(error) => tracing::error!(%error, "a worker could not start"),
        }
    })?;
    Ok(ended)
}

/// The running data plane.
#[derive(Debug)]
pub struct Proxy {
    metrics: Metrics,
    ended: Vec<oneshot::Receiver<u64>>,
}

impl Proxy {
    /// What the workers count.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Waits until the drain is over and the workers have ended.
    pub async fn finished(self) -> Report {
        let mut report = Report::default();
        for worker in self.ended {
            // A worker that is gone without a word could not start, or panicked: it serves nobody any more.
            report.cut += worker.await.unwrap_or(0);
        }
        report
    }
}

/// What a drain came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Requests that were in flight when the process stopped.
    pub cut: u64,
}
