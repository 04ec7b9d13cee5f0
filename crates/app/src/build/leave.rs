//! The way out: lame duck and drain, with or without a successor, and the end of its patience.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lifecycle::handover::{Received, Successor};
use lifecycle::{Phase, Trigger};
use proxy::Report;
use tokio::time::{Instant, sleep_until, timeout};

use super::Shutdown;
use super::admin::Admin;
use super::lame_duck::LameDuck;
use super::standby::Mark;

/// From the hard stop until the workers must have ended; longer, and they hang.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// What a drain means for clients, up to the time it may take.
const TOLD: &str = "clients are told to leave with their next answer; what is left is cut in";

/// How long a drain may take: until the last silent client is gone, and then as long as its last request may take.
#[derive(Clone, Copy)]
pub(super) struct Grace(Duration);

impl Grace {
    pub(super) fn new(config: &proxy::Config) -> Grace {
        Grace(config.drain_time())
    }
}

/// A process on its way out.
pub(super) struct Leaving<'a> {
    trigger: Arc<Trigger>,
    duck: LameDuck,
    grace: Grace,
    admin: &'a mut Admin,
    /// Whom this process has replaced; that one may still look whether it is there.
    predecessor: Option<Received>,
    successor: Option<Successor>,
    /// What whoever is started in this process' place has to know.
    mark: Option<Mark>,
    /// Whether somebody has asked the process to leave.
    asked: bool,
    /// When what is left is cut; a lame duck has not come so far.
    ends: Option<Instant>,
}

impl<'a> Leaving<'a> {
    pub(super) fn new(
        trigger: Arc<Trigger>,
        duck: LameDuck,
        grace: Grace,
        admin: &'a mut Admin,
        predecessor: Option<Received>,
        mark: Option<Mark>,
    ) -> Leaving<'a> {
        let (successor, asked, ends) = (None, false, None);
        Leaving { trigger, duck, grace, admin, predecessor, successor, mark, asked, ends }
    }

    /// Begins to leave because somebody has asked.
    pub(super) fn asked(&mut self, who: &'static str) {
        self.asked = true;
        self.lame_duck(who);
    }

    /// Begins to leave because a part of the process has failed, which is then told to whoever started it.
    pub(super) fn failed(&mut self, error: anyhow::Error) -> anyhow::Error {
        tracing::error!("{error:#}; leaving");
        self.lame_duck("a failure of the control plane");
        error
    }

    /// Begins to leave without a successor.
    fn lame_duck(&mut self, why: &'static str) {
        self.duck.leaving(why);
        // Whoever we have replaced may have to be started again in our place.
        self.predecessor = None;
    }

    /// Begins to leave, or goes on leaving, in favour of a successor.
    pub(super) fn hand_over(&mut self, successor: Successor) {
        self.trigger.advance(Phase::HandedOver);
        self.admin.close();
        self.mark.iter().for_each(Mark::set);
        if let Some(predecessor) = self.predecessor.take() {
            predecessor.handed_on();
        }
        self.ends.get_or_insert_with(|| Instant::now() + self.grace.0);
        tracing::info!("handed over to process {}: draining; {TOLD} {:?}", successor.pid(), self.grace.0);
        self.successor = Some(successor);
    }

    /// The load balancers have let go, or had twice their time.
    fn begin_drain(&mut self) {
        self.trigger.advance(Phase::Draining);
        self.ends = Some(Instant::now() + self.grace.0);
        tracing::info!("draining; {TOLD} {:?}, or at once if asked again", self.grace.0);
    }

    /// Drains until nobody is left, the time is over or somebody asks again. A successor may still come and take what
    /// is open.
    pub(super) async fn drain(
        &mut self,
        shutdown: &mut Shutdown,
        mut finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
        mut handed_over: Pin<&mut impl Future<Output = Successor>>,
    ) -> anyhow::Result<Report> {
        let duck = self.duck.clone();
        let mut over = std::pin::pin!(duck.over());
        loop {
            tokio::select! {
                report = &mut finished => return report.context("the data plane failed"),
                by = &mut handed_over, if self.successor.is_none() => self.hand_over(by),
                () = &mut over, if self.ends.is_none() => self.begin_drain(),
                who = shutdown.asked_to_leave() => {
                    // Who replaces a process also signals it, and that one drains already. Only the next signal means more.
                    if std::mem::replace(&mut self.asked, true) {
                        tracing::warn!("{who} again: stopping at once");
                        return self.stop(finished).await;
                    }
                    let since =
                        if self.successor.is_some() { "draining since the handover" } else { "leaving since it failed" };
                    tracing::info!("{who}: {since}; ask again to stop at once");
                }
                () = sleep_until(self.ends.unwrap_or_else(Instant::now)), if self.ends.is_some() => {
                    tracing::warn!("the drain has taken its full time: stopping");
                    return self.stop(finished).await;
                }
            }
        }
    }

    async fn stop(
        &self,
        finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
    ) -> anyhow::Result<Report> {
        self.trigger.advance(Phase::Stopping);
        let stopped = timeout(STOP_TIME_MAX, finished).await;
        let report = stopped.with_context(|| format!("the workers did not end within {STOP_TIME_MAX:?}"))?;
        report.context("the data plane failed")
    }

    /// Waits, drained, until the process is asked to leave or its successor is gone.
    pub(super) async fn stay(&mut self, shutdown: &mut Shutdown) {
        let Some(successor) = self.successor.as_mut().filter(|_| !self.asked) else { return };
        tracing::info!(
            "drained; staying as long as process {} serves, or until asked to leave",
            successor.pid()
        );
        tokio::select! {
            who = shutdown.asked_to_leave() => tracing::info!("{who}"),
            () = successor.gone() => {
                tracing::warn!("process {} serves no longer", successor.pid());
                self.mark.iter().for_each(Mark::remove);
            }
        }
    }
}
