//! The drain: how a process stops without costing a client a request. Without a successor:
//!
//! ```text
//! Serving ◄──► LameDuck ────────────► Draining ─────────────────► Stopping
//!   │            │ says it is not       │ closes its listeners as   │ what is still in
//!   │            │ ready, goes on       │ soon as no client is left,│ flight is cut
//!   │            │ accepting            │ at most an idle time on   │
//!   │            └──────────┬───────────┘
//!   │            every answer on HTTP/1 says `Connection: close`; idle connections stay open
//!   │            until their client speaks or their idle time is over
//!   t < 0        t0                     t1                          t1 + idle + longest request
//! ```
//!
//! A load balancer sends connections to a process until it has noticed, by its health checks, that it should not. Only
//! then may the listeners close: that wait is the lame duck. It is also the state of a process whose node is about to
//! be taken away, and then it may end as it began.
//!
//! A server can never close an idle connection without a race: the client's next request may be on its way. So the
//! drain closes none; it waits until each client has been told, or has been silent for longer than its load balancer
//! keeps a silent connection. A request that comes in at the last moment of that wait may take its full time: that is
//! why the two durations add up.
//!
//! A process whose successor has its listening sockets and serves goes from any of the first three phases to
//! `HandedOver`. That is a drain too, except that this process accepts no connection any more: new ones are the
//! successor's, and whether this address is ready is for the successor to say. It keeps the sockets that one has: if
//! its successor dies it serves again, or is a lame duck if there is a reason now, unless it was told to leave. From
//! `LetGo` on it no longer can: they are closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Where the process is on its way out. Phases only advance, but for two steps: a lame duck may serve again, and so may
/// a process that has handed over and not let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Takes work.
    Serving = 0,
    /// Asks not to be sent connections, accepts those that come all the same, and tells each client to leave.
    LameDuck = 1,
    /// Takes what still comes, tells each client to leave, closes no idle connection.
    Draining = 2,
    /// Drains, and leaves new connections to its successor, which accepts on the same sockets. They stay open here
    /// too, so that they outlive the successor.
    HandedOver = 3,
    /// Has handed over for good: its listening sockets are closed.
    LetGo = 4,
    /// Cuts what is left.
    Stopping = 5,
}

impl Phase {
    fn from_u8(raw: u8) -> Phase {
        match raw {
            0 => Phase::Serving,
            1 => Phase::LameDuck,
            2 => Phase::Draining,
            3 => Phase::HandedOver,
            4 => Phase::LetGo,
            _ => Phase::Stopping,
        }
    }

    /// In words, for logs, pages and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Serving => "serving",
            Phase::LameDuck => "lame duck",
            Phase::Draining => "draining",
            Phase::HandedOver | Phase::LetGo => "handed over",
            Phase::Stopping => "stopping",
        }
    }
}

/// A drain in phase [`Phase::Serving`]: the end that advances it and the end that watches it.
pub fn drain() -> (Trigger, Watch) {
    let (sender, receiver) = watch::channel(());
    let phase = Arc::new(AtomicU8::new(Phase::Serving as u8));
    (Trigger { phase: Arc::clone(&phase), changed: sender }, Watch { phase, changed: receiver })
}

/// Advances the phase. If it is dropped, watchers see [`Phase::Stopping`].
#[derive(Debug)]
pub struct Trigger {
    phase: Arc<AtomicU8>,
    changed: watch::Sender<()>,
}

impl Trigger {
    /// Enters `phase`; does nothing if it is already reached or passed.
    pub fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::Release);
        self.changed.send_replace(());
    }

    /// Makes a lame duck serve again; does nothing to a process that is no longer one.
    pub fn recover(&self) {
        self.go_back(Phase::LameDuck, Phase::Serving);
    }

    /// Makes a process that has handed over accept again, to serve or as a lame duck; does nothing to one that has let
    /// go.
    pub fn take_back(&self, to: Phase) {
        debug_assert!(to <= Phase::LameDuck);
        self.go_back(Phase::HandedOver, to);
    }

    fn go_back(&self, from: Phase, to: Phase) {
        if self.phase.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.changed.send_replace(());
        }
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.advance(Phase::Stopping);
    }
}

/// Sees the phase. Cheap to clone; [`phase`](Watch::phase) is one atomic load and fit for every response.
#[derive(Clone, Debug)]
pub struct Watch {
    phase: Arc<AtomicU8>,
    changed: watch::Receiver<()>,
}

impl Watch {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Whether clients must be told to leave.
    pub fn is_draining(&self) -> bool {
        self.phase() != Phase::Serving
    }

    /// Waits until `phase` is reached or passed.
    pub async fn reached(&mut self, phase: Phase) {
        while self.phase() < phase {
            if self.changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the process is in another phase.
    pub async fn other_than(&mut self, phase: Phase) {
        while self.phase() == phase {
            if self.changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the process has gone back to before `phase`; for ever if it never does.
    pub async fn back_before(&mut self, phase: Phase) {
        while self.phase() >= phase {
            if self.changed.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }

    /// Waits until `phase` has been reached or passed for as long as `time`, without a step back before it meanwhile.
    pub async fn lasted(&mut self, phase: Phase, time: Duration) {
        loop {
            self.reached(phase).await;
            let mut back = self.clone();
            tokio::select! {
                () = tokio::time::sleep(time) => return,
                () = back.back_before(phase) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn watchers_wake_when_their_phase_is_reached_or_passed() {
        let (trigger, watch) = drain();
        assert!(!watch.is_draining());
        let mut waiting = watch.clone();
        let waiter = tokio::spawn(async move { waiting.reached(Phase::Draining).await });
        trigger.advance(Phase::Stopping);
        waiter.await.expect("the watcher ends");
        assert_eq!(watch.phase(), Phase::Stopping);
    }

    #[test]
    fn a_phase_never_goes_back() {
        let (trigger, watch) = drain();
        trigger.advance(Phase::Stopping);
        trigger.advance(Phase::Draining);
        assert_eq!(watch.phase(), Phase::Stopping);
    }

    #[test]
    fn only_a_lame_duck_serves_again() {
        let (trigger, watch) = drain();
        trigger.advance(Phase::LameDuck);
        assert!(watch.is_draining());
        trigger.recover();
        assert_eq!(watch.phase(), Phase::Serving);
        trigger.advance(Phase::Draining);
        trigger.recover();
        assert_eq!(watch.phase(), Phase::Draining);
    }

    #[test]
    fn a_process_that_has_handed_over_takes_back_until_it_has_let_go() {
        let (trigger, watch) = drain();
        trigger.take_back(Phase::LameDuck);
        assert_eq!(watch.phase(), Phase::Serving, "there is nothing to take back");
        for to in [Phase::Serving, Phase::LameDuck] {
            trigger.advance(Phase::HandedOver);
            trigger.recover();
            assert_eq!(watch.phase(), Phase::HandedOver, "a lame duck that recovers takes nothing back");
            trigger.take_back(to);
            assert_eq!(watch.phase(), to);
        }
        trigger.advance(Phase::LetGo);
        trigger.take_back(Phase::Serving);
        assert_eq!(watch.phase(), Phase::LetGo);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_part_of_the_drain_waits_anew_after_a_step_back() {
        let (trigger, watch) = drain();
        let (time, mut waiting) = (Duration::from_secs(10), watch.clone());
        let waiter = tokio::spawn(async move { waiting.lasted(Phase::LameDuck, time).await });
        for _ in 0..2 {
            trigger.advance(Phase::HandedOver);
            tokio::time::sleep(time / 2).await;
            trigger.take_back(Phase::Serving);
            tokio::time::sleep(time).await;
            assert!(!waiter.is_finished());
        }
        trigger.advance(Phase::HandedOver);
        tokio::time::timeout(2 * time, waiter).await.expect("it has lasted").expect("the waiter ends");
    }

    #[tokio::test]
    async fn a_drain_may_be_handed_over_and_a_handover_is_a_drain() {
        let (trigger, mut watch) = drain();
        trigger.advance(Phase::Draining);
        trigger.advance(Phase::HandedOver);
        assert_eq!(watch.phase(), Phase::HandedOver);
        assert!(watch.is_draining());
        watch.reached(Phase::Draining).await;
    }

    #[test]
    fn a_lost_trigger_stops_the_process_rather_than_letting_it_serve_for_ever() {
        let (trigger, watch) = drain();
        drop(trigger);
        assert_eq!(watch.phase(), Phase::Stopping);
    }
}
