//! The status of our objects.
//!
//! Owns: when a status is written, how many at once, and what is told if that fails. What it should be is said by a
//! [`Writer`] for each kind, all of which are in [`writers`].

mod ingress;
mod ledger;
mod writer;

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::StreamExt;
use kube::api::{DynamicObject, Patch, PatchParams};
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
use ingress::IngressWriter;
use ledger::Ledger;
use writer::{Write, Writer};

/// Statuses that are written at the same time: the API server has others to serve.
const WRITES_AT_ONCE: usize = 8;

/// A status that was written so often, and is different again each time, has another writer.
const FIGHT_TOLD_AFTER: u32 = 4;

const REMEDY: &str = "see that the API server can be reached, and that our ServiceAccount may patch \
                      ingresses/status; it is tried again";

const FIGHT_REMEDY: &str = "let only one controller serve its class, or run one of them with --no-status";

/// The writers of all kinds.
fn writers(config: &ReportConfig) -> Vec<Box<dyn Writer>> {
    let Some(publish) = &config.status else { return Vec::new() };
    vec![Box::new(IngressWriter::new(publish, &config.field_manager))]
}

/// Writes statuses.
pub(super) struct Status {
    client: Client,
    /// One for each kind whose status is written; none where no status is.
    writers: Vec<Box<dyn Writer>>,
    manager: String,
    ledger: Ledger,
    outcomes: Outcomes,
}

impl Status {
    pub(super) fn new(client: Client, config: &ReportConfig, metrics: Arc<ReportMetrics>) -> Status {
        let manager = config.field_manager.clone();
        let (failures, fights) = (Failures::new(REMEDY), Failures::new(FIGHT_REMEDY));
        let outcomes = Outcomes { failures, fights, metrics };
        Status { client, writers: writers(config), manager, ledger: Ledger::default(), outcomes }
    }

    /// Keeps the statuses as they should be. Can be dropped at any time and called again.
    pub(super) async fn run(&mut self, mut told: watch::Receiver<Told>) -> Infallible {
        if self.writers.is_empty() {
            return std::future::pending().await;
        }
        let mut in_a_row = 0;
        loop {
            let wrong = self.wrong(&told.borrow_and_update());
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

    /// The statuses that are not as they should be, of all kinds.
    fn wrong(&self, told: &Told) -> Vec<Write> {
        self.writers.iter().flat_map(|writer| writer.wrong(told)).collect()
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
                self.fights.tell(&write.id, "another writer changes its status back");
            }
            return None;
        };
        let trouble = Trouble::of(&error);
        // An object that is gone needs no status.
        if trouble != Trouble::Gone {
            count(&self.metrics.status_errors);
            self.failures.tell(format_args!("cannot write the status of {}", write.id), text(&error));
        }
        Some(trouble)
    }
}

/// Applies the status. Server-side, so that a status that is left out takes away what we wrote, and nothing else.
async fn apply(client: &Client, manager: &str, write: &Write) -> kube::Result<()> {
    let resource = write.id.kind.resource();
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), &write.id.namespace, &resource);
    let (params, patch) = (PatchParams::apply(manager).force(), Patch::Apply(body(write)));
    api.patch_status(&write.id.name, &params, &patch).await.map(drop)
}

fn body(write: &Write) -> Value {
    let mut body = json!({
        "apiVersion": write.id.kind.api_version(),
        "kind": write.id.kind.as_str(),
        "metadata": { "name": write.id.name, "namespace": write.id.namespace },
    });
    if let Some(status) = &write.status {
        body["status"] = Value::clone(status);
    }
    body
}
