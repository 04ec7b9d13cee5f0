//! What the cluster is told: the addresses in our Ingresses' status, and an Event for each problem.
//!
//! ```text
//! Told ──► status ──► Ingress/status      only while we hold the Lease, only what differs
//!      └─► events ──► Event
//! ```
//!
//! Owns: which of several replicas writes (the [`Lease`](lease)), when something is written again, and the pace.
//! Never: serving. Whatever the API server answers, or if it does not, is logged and tried again later.
//! Start at [`start`], which starts [`run`].

mod config;
mod metrics;

mod api;
mod events;
mod lease;
mod pace;
mod status;

use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use kube::Client;
use model::{Problem, Published};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use config::ReportConfig;
pub use config::{Address, LeaseName, Publish, Report};
pub(crate) use metrics::ReportMetrics;

use crate::kinds::Statuses;
use events::Events;
use lease::Lease;
use status::Status;

/// What there is to tell, as of one publication.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The Ingresses that are ours, sorted.
    pub(crate) ours: Arc<Vec<ObjectKey>>,
    /// What the status of each known object says now, ours or not.
    pub(crate) statuses: Arc<Statuses>,
    /// The addresses of the Service that [`Publish::Service`] names, as far as they are known.
    pub(crate) service: Option<Arc<Vec<IngressLoadBalancerIngress>>>,
    /// Problems of objects in the cluster, with the objects' UIDs.
    pub(crate) problems: Arc<Vec<(Problem, Option<String>)>>,
}

/// Reports in the background until it is dropped.
pub(crate) struct Reporting(Option<JoinHandle<()>>);

impl Drop for Reporting {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Starts [`run`] in a task of its own, or nothing if nothing is to be written.
pub(crate) fn start(
    client: Client,
    config: ReportConfig,
    told: watch::Receiver<Told>,
    draining: lifecycle::Watch,
    writes: Published<bool>,
    metrics: Arc<ReportMetrics>,
) -> Reporting {
    let has_lease = config.status.is_some() || config.events || config.others_write;
    Reporting(has_lease.then(|| tokio::spawn(run(client, config, told, draining, writes, metrics))))
}

/// Writes status and Events while it holds the Lease, until it is dropped. Once a drain begins it gives the Lease away,
/// so that another replica takes over at once. What it holds is published in `writes`, for others that write.
pub(crate) async fn run(
    client: Client,
    config: ReportConfig,
    told: watch::Receiver<Told>,
    draining: lifecycle::Watch,
    writes: Published<bool>,
    metrics: Arc<ReportMetrics>,
) {
    let client = api::bounded(client);
    let (lead, leads) = watch::channel(false);
    let lease = Lease::new(client.clone(), &config, lead, writes, Arc::clone(&metrics));
    tokio::join!(lease.hold(draining), write(client, config, told, leads, metrics));
}

/// Writes whenever we lead. What was written when is remembered over all terms.
async fn write(
    client: Client,
    config: ReportConfig,
    told: watch::Receiver<Told>,
    mut leads: watch::Receiver<bool>,
    metrics: Arc<ReportMetrics>,
) {
    let mut status = Status::new(client.clone(), &config, Arc::clone(&metrics));
    let mut events = Events::new(client, &config, metrics);
    // It fails only when we cannot lead any more, because all of this is about to be dropped.
    while leads.wait_for(|leads| *leads).await.is_ok() {
        let (to_status, to_events) = (told.clone(), told.clone());
        tokio::select! {
            biased;
            _ = leads.wait_for(|leads| !*leads) => {}
            never = async { tokio::join!(status.run(to_status), events.run(to_events)) } => match never.0 {},
        }
    }
    std::future::pending::<()>().await;
}
