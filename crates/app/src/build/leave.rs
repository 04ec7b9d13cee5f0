//! How a process leaves: lame duck and drain, with or without a successor; how it serves again if the successor dies; and
//! how it stops when time is up.

mod state;

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use lifecycle::handover::{Fate, Owner, Successor, Vacancy};
use lifecycle::{Phase, Trigger};
use proxy::{Deserted, Report};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Shutdown;
use super::admin::Admin;
use super::control::ControlSocket;
use super::lame_duck::LameDuck;
use super::process::{Tasks, failure};
use super::standby::Mark;
use super::succession::{SuccessionEvent, given_back, next_event};
use super::upgrade::Upgrade;
pub(super) use state::LeaveState;

/// From the hard stop until the workers must have ended; longer, and they hang.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// Between two attempts to serve the pages again.
const PAGES_PAUSE: Duration = Duration::from_secs(1);

/// What a drain means for clients; the time it may take follows.
const TOLD: &str = "clients are told to leave with their next answer; what is left is cut in";

/// A process that serves, and that leaves in the end.
pub(super) struct Leaving<'a> {
    pub(super) trigger: Arc<Trigger>,
    pub(super) duck: LameDuck,
    pub(super) upgrade: Upgrade,
    /// How long a drain may take: until the last idle client is gone, and then as long as its last request may take.
    pub(super) grace: Duration,
    /// How long it stays, though drained, to serve again if its successor dies.
    pub(super) guard_time: Duration,
    /// Whether it stays as long as its successor serves.
    pub(super) stays: bool,
    pub(super) admin: &'a mut Admin,
    pub(super) control: &'a mut ControlSocket,
    pub(super) tasks: &'a mut Tasks,
    pub(super) owner: Option<Owner>,
    /// Tells a process that is started in this one's place that this one has handed over.
    pub(super) mark: Option<Mark>,
    /// Waits until no client is connected.
    pub(super) deserted: Deserted,
    pub(super) state: LeaveState,
}

impl Leaving<'_> {
    /// Serves, and drains in the end: until no client is left, time is up or it is asked again. A successor may take over
    /// what is open; if that dies while this process can still serve, this one does.
    ///
    /// # Errors
    /// If the data plane fails.
    pub(super) async fn drain(
        &mut self,
        shutdown: &mut Shutdown,
        mut finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
    ) -> anyhow::Result<Report> {
        let duck = self.duck.clone();
        let mut over = pin!(duck.over());
        loop {
            let state = &mut self.state;
            let (serves, holds, is_drained) = (state.serves(), state.holds, state.is_drained);
            let is_sole = state.successor.is_none();
            tokio::select! {
                report = &mut finished => {
                    let report = report.context("the data plane failed")?;
                    if serves {
                        bail!("the workers ended without being asked to");
                    }
                    return Ok(report);
                }
                ended = self.tasks.join_next(), if serves || holds => self.part_ended(ended).await,
                event = next_event(self.owner.as_mut(), state.successor.as_mut()), if holds || is_sole => match event {
                    SuccessionEvent::HandedOver(successor) => self.hand_over(successor),
                    SuccessionEvent::Gone(Fate::Died(vacancy)) => self.take_back(vacancy),
                    SuccessionEvent::Gone(Fate::Left) => self.successor_leaves(),
                    SuccessionEvent::Gone(Fate::Lacks) => self.admin.hold(),
                },
                () = sleep(PAGES_PAUSE), if serves && state.lacks_pages => self.serve_pages(),
                () = self.deserted.wait(), if holds && !is_drained => self.note_drained(),
                () = sleep_until(state.guards_until.unwrap_or_else(Instant::now)), if holds && is_drained && !self.stays => {
                    self.let_go();
                }
                () = &mut over, if is_sole && !serves && state.ends.is_none() => self.begin_drain(),
                cause = shutdown.asked_to_leave() => {
                    if self.is_asked(cause) {
                        return self.stop(finished).await;
                    }
                }
                () = sleep_until(state.ends.unwrap_or_else(Instant::now)), if state.ends.is_some() => {
                    tracing::warn!("the drain has taken its full time: stopping");
                    return self.stop(finished).await;
                }
            }
        }
    }

    /// Without its control plane the process would serve an ever older table: it leaves, to be restarted, and takes
    /// nothing back. If its predecessor still guards it, that one serves again.
    async fn part_ended(&mut self, ended: Option<Result<anyhow::Error, JoinError>>) {
        if matches!(&ended, Some(Err(error)) if error.is_cancelled()) {
            return;
        }
        let error = failure(ended);
        tracing::error!("{error:#}; leaving");
        self.state.failed = Some(error);
        let is_sole = self.state.successor.is_none();
        let given_back = match self.owner.take_if(|owner| is_sole && owner.is_watched()) {
            Some(owner) => given_back(owner).await,
            None => false,
        };
        if given_back {
            self.trigger.advance(Phase::LetGo);
            self.admin.close();
            self.state.ends = Some(Instant::now() + self.grace);
            tracing::warn!("the predecessor serves again: draining; {TOLD} {:?}", self.grace);
        } else {
            self.leave("a failure of the control plane");
        }
    }

    /// It is asked to leave. Returns whether that means at once.
    fn is_asked(&mut self, cause: &'static str) -> bool {
        let had_begun = self.state.leaves() || self.state.successor.is_some();
        if std::mem::replace(&mut self.state.asked, true) {
            tracing::warn!("{cause} again: stopping at once");
            return true;
        }
        if had_begun {
            // A supervisor also signals a process that it has replaced, which drains already. Only the next signal means
            // more.
            let since = match self.state.successor {
                Some(_) => "draining since the handover",
                None => "leaving since it failed",
            };
            tracing::info!("{cause}: {since}; ask again to stop at once");
        }
        self.leave(cause);
        false
    }

    /// Begins to leave for good, unless it does already.
    fn leave(&mut self, why: &'static str) {
        match self.state.successor {
            Some(_) => self.let_go(),
            None => {
                self.duck.leaving(why);
                // Our predecessor's supervisor may have to start it again in our place.
                self.owner.iter_mut().for_each(Owner::leave);
            }
        }
    }

    /// Begins to leave, or goes on leaving, in favour of a successor.
    fn hand_over(&mut self, successor: Successor) {
        self.trigger.advance(Phase::HandedOver);
        self.admin.hold();
        self.mark.iter().for_each(Mark::set);
        self.upgrade.handed_over(successor.pid());
        let now = Instant::now();
        self.state.ends.get_or_insert(now + self.grace);
        self.state.guards_until = Some(now + self.guard_time);
        tracing::info!("handed over to process {}: draining; {TOLD} {:?}", successor.pid(), self.grace);
        (self.state.holds, self.state.is_drained) = (true, false);
        let may_die = successor.says_farewell();
        self.state.successor = Some(successor);
        if self.state.leaves() || !may_die {
            self.let_go();
        }
    }

    /// Leaves the sockets to the successor for good.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.state.holds) {
            self.trigger.advance(Phase::LetGo);
            self.admin.close();
            self.owner.iter_mut().for_each(Owner::let_go);
        }
        // Also if it is drained: a client that was accepted in the moment of the handover is not waited for without end.
        self.state.ends.get_or_insert_with(|| Instant::now() + self.grace);
        if self.state.leaves() {
            self.state.successor.iter().for_each(Successor::look_away);
        }
    }

    /// The successor leaves for good, and this process does not serve again. One that is started in our place takes over
    /// from the successor.
    fn successor_leaves(&mut self) {
        tracing::warn!("{} serves no longer", self.successor());
        self.mark.iter().for_each(Mark::remove);
        self.state.is_last = true;
        self.owner.iter_mut().for_each(Owner::leave);
        self.let_go();
    }

    /// Serves again: the listening sockets were open all the time, and new connections wait in their queues.
    fn take_back(&mut self, vacancy: Vacancy) {
        let successor = self.successor();
        if let Some(owner) = &mut self.owner {
            owner.take_back(vacancy);
            let given_up = owner.given_up();
            if !given_up.is_empty() {
                tracing::warn!(
                    "no longer served, because the successor's flags did not name it: {}",
                    given_up.join(", ")
                );
            }
        }
        self.duck.take_back();
        (self.state.successor, self.state.holds, self.state.ends) = (None, false, None);
        // Said when it is true, so that whatever reads the log may count on it.
        tracing::error!("{successor} has died: this process takes the listeners back and serves");
        self.serve_pages();
        self.mark.iter().for_each(Mark::remove);
    }

    /// Serves the pages again. Clients are served even if that fails, as without a free file descriptor: no other process
    /// would serve them.
    fn serve_pages(&mut self) {
        let served = [self.admin.serve(self.tasks), self.control.serve(self.tasks)];
        self.state.lacks_pages = served.iter().any(Result::is_err);
        for error in served.into_iter().filter_map(Result::err) {
            tracing::error!("{error:#}; trying again");
        }
    }

    /// No client is connected any more. All that is left to do is to watch the successor.
    fn note_drained(&mut self) {
        (self.state.is_drained, self.state.ends) = (true, None);
        if self.stays {
            tracing::info!(
                "drained; staying as long as {} serves, or until asked to leave",
                self.successor()
            );
        } else {
            tracing::debug!("drained; staying until {:?} after the handover", self.guard_time);
        }
    }

    /// The successor, in words.
    fn successor(&self) -> String {
        self.state
            .successor
            .as_ref()
            .map_or_else(|| "no process".to_owned(), |it| format!("process {}", it.pid()))
    }

    /// The load balancers have noticed, or had twice their time.
    fn begin_drain(&mut self) {
        self.trigger.advance(Phase::Draining);
        self.state.ends = Some(Instant::now() + self.grace);
        tracing::info!("draining; {TOLD} {:?}, or at once if asked again", self.grace);
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

    /// Waits, without sockets, until the process is asked to leave or its successor is gone. It comes to that if the
    /// successor cannot be watched, or the drain has taken its full time.
    pub(super) async fn stay(&mut self, shutdown: &mut Shutdown) {
        if !self.stays || self.state.leaves() || self.state.is_last {
            return;
        }
        self.admin.close();
        tracing::info!("drained; staying as long as {} serves, or until asked to leave", self.successor());
        tokio::select! {
            cause = shutdown.asked_to_leave() => tracing::info!("{cause}"),
            _ = next_event(self.owner.as_mut(), self.state.successor.as_mut()) => {
                tracing::warn!("{} serves no longer", self.successor());
                self.mark.iter().for_each(Mark::remove);
            }
        }
    }
}
