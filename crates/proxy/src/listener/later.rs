//! Listeners that come while others are served already.

use std::rc::Rc;

use tokio::sync::mpsc;

use super::{Limits, accept};
use crate::config::Listener;
use crate::worker::{Accepted, Worker};

/// Accepts on each of these as soon as it comes, until none of the first listeners is left: what closes those closes these,
/// and none that comes later is opened.
pub(crate) async fn accept_later(
    mut listeners: mpsc::UnboundedReceiver<Listener>,
    workers: Vec<mpsc::WeakUnboundedSender<Accepted>>,
    worker: Rc<Worker>,
) {
    while let Some(listener) = listeners.recv().await {
        let workers: Option<Vec<_>> = workers.iter().map(mpsc::WeakUnboundedSender::upgrade).collect();
        let Some(workers) = workers else { return };
        let limits = Limits::new(&worker.config, &worker.overload);
        let (loads, drain) = (worker.loads.clone(), worker.drain.clone());
        tokio::task::spawn_local(accept(listener, limits, workers, loads, drain));
    }
}
