//! Which of several replicas writes: the holder of the Lease.
//!
//! `kube_lease_manager` knows how a Lease is taken, kept and given away. What it does not do is done here: to notice
//! that what we believe of the Lease is no longer so (it sleeps until the time it last read has passed, by the wall
//! clock), to begin anew after any error or when the Lease was deleted, and to lead no longer than is certain.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use compile::ObjectKey;
use k8s_openapi::api::coordination::v1;
use kube::{Api, Client};
use kube_lease_manager::{LeaseCreateMode, LeaseManager, LeaseManagerError, LeaseParams};
use lifecycle::Phase;
use model::Published;
use tokio::sync::watch;

use super::api::{self, Failures};
use super::config::ReportConfig;
use super::metrics::ReportMetrics;
use super::pace::pause;
use crate::wait::jittered;

/// How long a holder that is not heard of keeps the Lease.
const DURATION: Duration = Duration::from_secs(15);

/// How long before its end the Lease is renewed. A renewal that is not answered is given up after 5 s, and so we stop
/// writing 3 s before another replica may begin; clocks may differ by as much.
const RENEWED_BEFORE_END: Duration = Duration::from_secs(8);

/// How often we look whether the Lease is as we believe, at the latest. It is how soon one of two replicas takes over
/// what the other gave away; of more replicas, one looks sooner.
const LOOK_EVERY: Duration = Duration::from_secs(4);

const REMEDY: &str = "see that the API server can be reached, and that our ServiceAccount may get, create and patch \
                      this Lease; until then another replica writes status and Events, or none";

/// Our part in the Lease.
pub(super) struct Lease {
    client: Client,
    name: ObjectKey,
    params: LeaseParams,
    identity: String,
    /// Whether we hold it.
    lead: watch::Sender<bool>,
    /// The same, for others than status and Events.
    writes: Published<bool>,
    metrics: Arc<ReportMetrics>,
}

/// How a term ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The Lease is not as it was.
    Doubted,
    /// It can be taken.
    Free,
    /// It could be taken for a whole term, and was not.
    NotTaken,
}

impl Lease {
    pub(super) fn new(
        client: Client,
        config: &ReportConfig,
        lead: watch::Sender<bool>,
        writes: Published<bool>,
        metrics: Arc<ReportMetrics>,
    ) -> Lease {
        let (name, identity) = (config.lease.clone(), config.identity.clone());
        // Two that want the Lease are told apart by their field managers.
        let params = LeaseParams::new(&*identity, DURATION.as_secs(), RENEWED_BEFORE_END.as_secs())
            .with_field_manager(&*identity);
        Lease { client, name, params, identity, lead, writes, metrics }
    }

    /// Holds the Lease whenever that is possible. It is given away when a drain begins, and wanted again by a process
    /// that takes back what it has handed over.
    pub(super) async fn hold(self, mut draining: lifecycle::Watch) -> Infallible {
        loop {
            tokio::select! {
                biased;
                () = draining.reached(Phase::Draining) => {}
                never = self.terms() => match never {},
            }
            self.leads(false);
            self.release().await;
            draining.back_before(Phase::Draining).await;
        }
    }

    async fn terms(&self) -> Infallible {
        let (mut failures, mut in_a_row, mut ended) = (Failures::new(REMEDY), 0, Ended::Doubted);
        loop {
            let term = self.term(ended).await;
            self.leads(false);
            (in_a_row, ended) = match term {
                Ok(ended) => (0, ended),
                Err(error) => {
                    failures.tell(format_args!("Lease {}", self.name), text(&error));
                    (in_a_row + 1, Ended::Doubted)
                }
            };
            tokio::time::sleep(pause(in_a_row)).await;
        }
    }

    /// Takes part until something is not as expected. Nothing of an earlier term is believed.
    async fn term(&self, before: Ended) -> Result<Ended, LeaseManagerError> {
        let manager = self.manager(LeaseCreateMode::AutoCreate).await?;
        if before == Ended::NotTaken {
            // What another writer has put into a Lease that no replica holds, by hand or from a backup, is in our way.
            manager.release().await?;
        }
        let (mut changed, mut doubts) = (pin!(manager.changed()), pin!(self.doubts()));
        loop {
            tokio::select! {
                leads = &mut changed => {
                    self.leads(leads?);
                    changed.set(manager.changed());
                }
                ended = &mut doubts => return Ok(match (before, ended) {
                    (Ended::Free, Ended::Free) => Ended::NotTaken,
                    (_, ended) => ended,
                }),
            }
        }
    }

    async fn manager(&self, mode: LeaseCreateMode) -> Result<LeaseManager, LeaseManagerError> {
        let ObjectKey { namespace, name } = &self.name;
        LeaseManager::new(self.client.clone(), name, namespace, self.params.clone(), mode).await
    }

    /// Returns when the Lease says something else than we believe.
    async fn doubts(&self) -> Ended {
        let api = Api::<v1::Lease>::namespaced(self.client.clone(), &self.name.namespace);
        loop {
            tokio::time::sleep(jittered(LOOK_EVERY)).await;
            // That a look fails says nothing; the leader learns it from the next renewal.
            let Ok(found) = api.get_opt(&self.name.name).await else { continue };
            if let Some(ended) = doubt(found.as_ref(), *self.lead.borrow(), &self.identity) {
                return ended;
            }
        }
    }

    fn leads(&self, leads: bool) {
        if self.lead.send_replace(leads) == leads {
            return;
        }
        self.writes.publish(leads);
        self.metrics.leader.store(leads, Ordering::Relaxed);
        match leads {
            true => tracing::info!(lease = %self.name, "this replica writes status and Events"),
            false => tracing::info!(lease = %self.name, "this replica writes status and Events no longer"),
        }
    }

    /// Gives the Lease away if it is ours, which an answer that we did not wait for may have made it. If that fails it
    /// ends by itself.
    async fn release(&self) {
        let released = async {
            for failures in 0.. {
                match self.manager(LeaseCreateMode::UseExistent).await {
                    Ok(manager) if manager.release().await.is_ok() => return,
                    Err(LeaseManagerError::NonexistentLease(_)) => return,
                    _ => tokio::time::sleep(pause(failures)).await,
                }
            }
        };
        if tokio::time::timeout(DURATION, released).await.is_err() {
            tracing::info!(lease = %self.name, "the Lease could not be given away; it ends by itself");
        }
    }
}

/// Why the Lease is not as we believe: ours if we lead, and another's if we do not. One that is ours before we know it
/// is as it should be.
fn doubt(found: Option<&v1::Lease>, leads: bool, identity: &str) -> Option<Ended> {
    let spec = found.and_then(|lease| lease.spec.as_ref());
    match spec.and_then(|spec| spec.holder_identity.as_deref()) {
        Some(holder) if holder == identity => None,
        Some(_) => leads.then_some(Ended::Doubted),
        None if leads => Some(Ended::Doubted),
        None => Some(Ended::Free),
    }
}

fn text(error: &LeaseManagerError) -> String {
    match error {
        LeaseManagerError::KubeError(error) => api::text(error),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_doubts_a_lease_that_is_not_its_own_and_a_waiting_replica_one_that_is_free() {
        let held = |holder: Option<&str>| {
            let spec = v1::LeaseSpec { holder_identity: holder.map(str::to_owned), ..Default::default() };
            v1::Lease { spec: Some(spec), ..Default::default() }
        };
        let (ours, theirs, free) = (held(Some("me")), held(Some("other")), held(None));
        for (found, leads, expected) in [
            (Some(&ours), true, None),
            (Some(&ours), false, None),
            (Some(&theirs), true, Some(Ended::Doubted)),
            (Some(&theirs), false, None),
            (Some(&free), true, Some(Ended::Doubted)),
            (Some(&free), false, Some(Ended::Free)),
            (None, true, Some(Ended::Doubted)),
            (None, false, Some(Ended::Free)),
        ] {
            assert_eq!(doubt(found, leads, "me"), expected, "{found:?}, leads: {leads}");
        }
    }

    #[test]
    fn a_leader_that_hears_nothing_stops_before_another_one_begins() {
        assert!(DURATION - RENEWED_BEFORE_END + api::REQUEST_TIME_MAX < DURATION);
    }
}
