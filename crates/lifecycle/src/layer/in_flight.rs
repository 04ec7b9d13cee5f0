//! What is in flight, counted, and whether its clients are to be told to leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::Watch;

/// The count. All clones are one.
#[derive(Clone, Debug)]
pub(super) struct InFlight(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    drain: Watch,
    count: AtomicUsize,
    /// Keeps one permit if no task waits, so that the end of the last one is never missed.
    none_left: Notify,
}

impl InFlight {
    pub(super) fn new(drain: Watch) -> InFlight {
        InFlight(Arc::new(Shared { drain, count: AtomicUsize::new(0), none_left: Notify::new() }))
    }

    /// Counts one more until it is dropped.
    pub(super) fn hold(&self) -> Held {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        Held(self.clone())
    }

    pub(super) fn count(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    pub(super) fn drain(&self) -> &Watch {
        &self.0.drain
    }

    /// Waits until nothing is in flight. For one waiter at a time.
    pub(super) async fn none_left(&self) {
        while self.count() > 0 {
            self.0.none_left.notified().await;
        }
    }
}

/// Something that is in flight as long as this is not dropped.
#[derive(Debug)]
#[must_use = "it is in flight only as long as this is held"]
pub struct Held(InFlight);

impl Held {
    /// Whether its client is to be told to leave.
    pub(super) fn is_leaving(&self) -> bool {
        self.0.drain().is_draining()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let shared = &self.0.0;
        if shared.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            shared.none_left.notify_one();
        }
    }
}
