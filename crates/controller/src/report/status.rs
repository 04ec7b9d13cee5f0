//! The addresses in the status of our Ingresses.

mod ledger;
mod plan;

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::StreamExt;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Told;
use super::api::{Failures, Trouble, text};
use super::config::ReportConfig;
use super::metrics::{ReportMetrics, count};
use super::pace::{earlier, pause};
use crate::wait::until;
use ledger::Ledger;
use plan::{Plan, Write};

/// Statuses that are written at the same time: the API server has others to serve.
const WRITES_AT_ONCE: usize = 8;

/// A status that was written so often, and is different again each time, has another writer.
const FIGHT_TOLD_AFTER: u32 = 4;

const REMEDY: &str = "see that the API server can be reached, and that our ServiceAccount may patch \
                      ingresses/status; it is tried again";

const FIGHT_REMEDY: &str = "let only one controller serve its class, or run one of them with --no-status";

/// Writes statuses.
pub(super) struct Status {
    client: Client,
    /// `None` if none are to be written.
    plan: Option<Plan>,
    manager: String,
    ledger: Ledger,
    outcomes: Outcomes,
}

impl Status {
    pub(super) fn new(client: Client, config: &ReportConfig, metrics: Arc<ReportMetrics>) -> Status {
        let manager = config.field_manager.clone();
        let plan = config.status.as_ref().map(|publish| Plan::new(publish, &manager));
        let (failures, fights) = (Failures::new(REMEDY), Failures::new(FIGHT_REMEDY));
        let outcomes = Outcomes { failures, fights, metrics };
        Status { client, plan, manager, ledger: Ledger::default(), outcomes }
    }

    /// Keeps the statuses as they should be. Can be dropped at any time and called again.
    pub(super) async fn run(&mut self, mut told: watch::Receiver<Told>) -> Infallible {
        let Some(plan) = self.plan.clone() else { return std::future::pending().await };
        let mut in_a_row = 0;
        loop {
            let wrong = plan.wrong(&told.borrow_and_update());
            let (due, next) = self.ledger.due(wrong, Instant::now());
            if self.write(due).await {
                in_a_row = 0;
                // What was just written is due again if it has not helped.
                let next = earlier(next, self.ledger.settled());
                tokio::select! {
                    Ok(()) = told.changed() => {}
                    () = until(next) => {}
                }
            } else {
                in_a_row += 1;
                tokio::time::sleep(pause(in_a_row)).await;
            }
        }
    }

    /// Writes these; returns whether the API server was there.
    async fn write(&mut self, due: Vec<Write>) -> bool {
        let Status { client, manager, ledger, outcomes, .. } = self;
        let (client, manager) = (&*client, &**manager);
        let started = due.into_iter().map(|write| {
            let tries = ledger.tried(&write, Instant::now());
            async move { (apply(client, manager, &write).await, write, tries) }
        });
        let mut writes = futures_util::stream::iter(started).buffer_unordered(WRITES_AT_ONCE);
        let mut away = None;
        while let Some((applied, write, tries)) = writes.next().await {
            if outcomes.take(&write, applied, tries) == Some(Trouble::Away) {
                away = Some(write);
                break;
            }
        }
        drop(writes);
        away.inspect(|write| ledger.forgive(write, Instant::now())).is_none()
    }
}

/// Counts and tells what came of writing.
struct Outcomes {
    failures: Failures,
    fights: Failures,
    metrics: Arc<ReportMetrics>,
}

impl Outcomes {
    fn take(&mut self, write: &Write, applied: kube::Result<()>, tries: u32) -> Option<Trouble> {
        let Err(error) = applied else {
            count(&self.metrics.status_writes);
            if tries >= FIGHT_TOLD_AFTER {
                self.fights
                    .tell(format_args!("Ingress {}", write.key), "another writer changes its status back");
            }
            return None;
        };
        let trouble = Trouble::of(&error);
        // An Ingress that is gone needs no status.
        if trouble != Trouble::Gone {
            count(&self.metrics.status_errors);
            self.failures
                .tell(format_args!("cannot write the status of Ingress {}", write.key), text(&error));
        }
        Some(trouble)
    }
}

/// Applies the status. Server-side, so that a status without addresses takes away what we wrote, and nothing else.
async fn apply(client: &Client, manager: &str, write: &Write) -> kube::Result<()> {
    let api = Api::<Ingress>::namespaced(client.clone(), &write.key.namespace);
    let (params, patch) = (PatchParams::apply(manager).force(), Patch::Apply(body(write)));
    api.patch_status(&write.key.name, &params, &patch).await.map(drop)
}

fn body(write: &Write) -> Value {
    let mut body = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": write.key.name, "namespace": write.key.namespace },
    });
    if !write.addresses.is_empty() {
        body["status"] = json!({ "loadBalancer": { "ingress": *write.addresses } });
    }
    body
}
