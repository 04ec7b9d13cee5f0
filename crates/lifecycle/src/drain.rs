//! The drain: how a process stops without costing a client a request.
//!
//! ```text
//! Serving ──start()──► Draining ──────────────────────────────► Stopping
//!   │                    │ every answer on HTTP/1 says             │ what is still in
//!   │                    │ `Connection: close`; idle connections   │ flight is cut
//!   │                    │ stay open until their client speaks     │
//!   │                    │ or their idle time is over              │
//!   t < 0                t0                                        t0 + idle + longest request
//! ```
//!
//! A server can never close an idle connection without a race: the client's next request may be on its way. So the
//! drain closes none; it waits until each client has been told, or has been silent for longer than its load balancer
//! keeps a silent connection. A request that comes in at the last moment of that wait may take its full time: that is
//! why the two durations add up.
//!
//! A process whose successor has its listening sockets and serves goes from either of the first two phases to
//! `HandedOver`. That is a drain too, except that this process accepts nobody any more: whoever comes is the
//! successor's, and whether this address is ready is for the successor to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// Where the process is on its way out. Phases only ever advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Takes work.
    Serving = 0,
    /// Takes what still comes, tells each client to leave, closes nobody's idle connection.
    Draining = 1,
    /// Drains, and leaves whoever still comes to its successor, which accepts on the same sockets.
    HandedOver = 2,
    /// Cuts what is left.
    Stopping = 3,
}

impl Phase {
    fn from_u8(raw: u8) -> Phase {
        match raw {
            0 => Phase::Serving,
            1 => Phase::Draining,
            2 => Phase::HandedOver,
            _ => Phase::Stopping,
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
