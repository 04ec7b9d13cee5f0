//! What reporting counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the start, written by [`run`](super::run) and read by scrapes.
#[derive(Debug, Default)]
pub(crate) struct ReportMetrics {
    /// Whether this process holds the Lease, and writes.
    pub(crate) leader: AtomicBool,
    /// Statuses that the API server took.
    pub(crate) status_writes: AtomicU64,
    /// Statuses that it refused, or did not answer to in time.
    pub(crate) status_errors: AtomicU64,
    /// Events that the API server took, new ones and refreshed ones.
    pub(crate) events_written: AtomicU64,
    /// Events that it refused, or did not answer to in time.
    pub(crate) event_errors: AtomicU64,
}

impl ReportMetrics {
    /// Sets the metrics of the recorder that is current.
    pub(crate) fn export(&self) {
        let leader = self.leader.load(Ordering::Relaxed);
        metrics::gauge!("sluicegate_leader").set(f64::from(u8::from(leader)));
        for (what, outcome, counter) in [
            ("status", "written", &self.status_writes),
            ("status", "failed", &self.status_errors),
            ("event", "written", &self.events_written),
            ("event", "failed", &self.event_errors),
        ] {
            let count = counter.load(Ordering::Relaxed);
            metrics::counter!("sluicegate_cluster_writes_total", "what" => what, "outcome" => outcome)
                .absolute(count);
        }
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
