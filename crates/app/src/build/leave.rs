//! The way out: a drain, with or without a successor, and the end of its patience.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use lifecycle::handover::Successor;
use lifecycle::{Phase, Trigger};
use proxy::Report;

use super::Shutdown;
use super::admin::Admin;

/// From the hard stop until the workers must have ended; longer, and they hang.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// What a drain means for clients, up to the time it may take.
const TOLD: &str = "clients are told to leave with their next answer; what is left is cut in";

/// How long a drain may take: until the last silent client is gone, and then as long as its last request may take.
#[derive(Clone, Copy)]
pub(super) struct Grace(Duration);

impl Grace {
    pub(super) fn new(config: &proxy::Config) -> Grace {
        Grace(config.idle_timeout + config.max_request_time)
    }
}

/// Why the process leaves.
pub(super) enum Cause {
    Asked(&'static str),
    HandedOver(Successor),
    /// Without its control plane the process would serve an ever older table: it drains, to be started anew.
    Failed(anyhow::Error),
}

/// A process on its way out.
pub(super) struct Leaving<'a> {
    pub(super) trigger: &'a Trigger,
    pub(super) grace: Grace,
    pub(super) admin: &'a mut Admin,
    pub(super) shutdown: Shutdown,
}

impl Leaving<'_> {
    /// Drains until nobody is left, the time is over or somebody asks again. A successor may still come and take what
    /// is open.
    pub(super) async fn drain(
        mut self,
        cause: &Cause,
        mut finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
        mut handed_over: Pin<&mut impl Future<Output = Successor>>,
    ) -> anyhow::Result<Report> {
        let mut successor = self.begin(cause);
        // Who replaces a process also signals it, and that one drains already. Only the next signal means more.
        let mut expected = successor;
        let mut time = std::pin::pin!(tokio::time::sleep(self.grace.0));
        loop {
            tokio::select! {
                report = &mut finished => return report.context("the data plane failed"),
                by = &mut handed_over, if !successor => {
                    successor = true;
                    self.hand_over(by);
                }
                who = self.shutdown.asked() => {
                    if !std::mem::take(&mut expected) {
                        tracing::warn!("{who} again: stopping at once");
                        break;
                    }
                    tracing::info!("{who}: draining since the handover; ask again to stop at once");
                }
                () = &mut time => {
                    tracing::warn!("the drain has taken its full time: stopping");
                    break;
                }
            }
        }
        self.stop(finished).await
    }

    /// Begins to drain and says whether there is a successor. What the log tells is so by then.
    fn begin(&mut self, cause: &Cause) -> bool {
        if let Cause::HandedOver(successor) = cause {
            self.hand_over(*successor);
            return true;
        }
        self.trigger.advance(Phase::Draining);
        if let Cause::Asked(who) = cause {
            tracing::info!("{who}: draining; {TOLD} {:?}, or at once if asked again", self.grace.0);
        }
        false
    }

    fn hand_over(&mut self, successor: Successor) {
        self.trigger.advance(Phase::HandedOver);
        self.admin.close();
        tracing::info!("handed over to process {}: draining; {TOLD} {:?}", successor.pid, self.grace.0);
    }

    async fn stop(
        self,
        finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
    ) -> anyhow::Result<Report> {
        self.trigger.advance(Phase::Stopping);
        let stopped = tokio::time::timeout(STOP_TIME_MAX, finished).await;
        let report = stopped.with_context(|| format!("the workers did not end within {STOP_TIME_MAX:?}"))?;
        report.context("the data plane failed")
    }
}
