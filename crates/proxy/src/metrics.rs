//! What the workers count. Each worker writes cells of its own, so counting costs a plain add and no cache line is
//! ever fought over; a scrape sums them up.

mod backends;
mod durations;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::BackendKey;

pub(crate) use self::backends::BackendCells;
use self::backends::Named;
use self::durations::{Durations, Sum};
use crate::error::Refusal;

/// Classes of status, 1xx to 5xx, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A number that one thread writes and any may read.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    pub(crate) fn add(&self, more: u64) {
        // One writer: a load and a store, without the locked instruction of `fetch_add`.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, less: u64) {
        self.add(less.wrapping_neg());
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The cells of one worker.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) connections_accepted: Cell,
    pub(crate) connections_open: Cell,
    pub(crate) connections_parked: Cell,
    pub(crate) handshakes: Cell,
    pub(crate) handshakes_failed: Cell,
    pub(crate) requests_in_flight: Cell,
    pub(crate) responses: [Cell; CLASSES.len()],
    pub(crate) refusals: Refusals,
    pub(crate) received_bytes: Cell,
    pub(crate) sent_bytes: Cell,
    pub(crate) upstream_connects: Cell,
    pub(crate) upstream_connect_failures: Cell,
    pub(crate) upstream_reuses: Cell,
    pub(crate) retries: Cell,
    pub(crate) late_bytes: Cell,
    /// Responses that were not handed over whole when the process stopped.
    pub(crate) cut: Cell,
    /// Connections that were passed on as they are, and have ended.
    pub(crate) connections_passed: Cell,
    pub(crate) access_lines_dropped: Cell,
    durations: Durations,
    backends: Mutex<Vec<Arc<BackendCells>>>,
}

/// A cell for each refusal.
#[derive(Debug)]
pub(crate) struct Refusals([Cell; Refusal::ALL.len()]);

impl Refusals {
    pub(crate) fn of(&self, why: Refusal) -> &Cell {
        &self.0[why as usize]
    }
}

impl Default for Refusals {
    fn default() -> Refusals {
        Refusals(std::array::from_fn(|_| Cell::default()))
    }
}

fn class(status: u16) -> usize {
    usize::from(status / 100).clamp(1, CLASSES.len()) - 1
}

impl Cells {
    /// One answered request.
    pub(crate) fn record(&self, status: u16, took: Duration) {
        self.responses[class(status)].add(1);
        self.durations.add(took);
    }

    /// Cells for a backend that this worker meets for the first time.
    pub(crate) fn backend(&self, key: &BackendKey) -> Arc<BackendCells> {
        let cells = Arc::new(BackendCells::new(key));
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&cells));
        cells
    }

    /// Takes the cells of a backend that is gone out of later scrapes: labels follow the table and stay bounded by it.
    pub(crate) fn forget(&self, gone: &Arc<BackendCells>) {
        self.backends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|cells| !Arc::ptr_eq(cells, gone));
    }

    fn backends(&self) -> Vec<Arc<BackendCells>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the workers count; cheap to clone, to be read from any thread.
#[derive(Clone, Debug)]
pub struct Metrics {
    workers: Arc<[Arc<Cells>]>,
    named: Arc<Named>,
}

impl Metrics {
    pub(crate) fn new(workers: Vec<Arc<Cells>>) -> Metrics {
        Metrics { workers: workers.into(), named: Arc::default() }
    }

    fn sum(&self, of: impl Fn(&Cells) -> &Cell) -> u64 {
        self.workers.iter().fold(0, |sum, cells| sum.wrapping_add(of(cells).get()))
    }

    /// Open client connections and requests in flight, now.
    pub fn open(&self) -> (u64, u64) {
        (self.sum(|c| &c.connections_open), self.sum(|c| &c.requests_in_flight))
    }

    /// Client connections accepted so far.
    pub fn accepted(&self) -> u64 {
        self.sum(|c| &c.connections_accepted)
    }

    /// Brings the current sums to the `metrics` recorder of this thread.
    pub fn export(&self) {
        let counter = |name: &'static str, value| metrics::counter!(name).absolute(value);
        #[expect(clippy::cast_precision_loss, reason = "a gauge of open things stays far below 2^52")]
        let gauge = |name: &'static str, value: u64| metrics::gauge!(name).set(value as f64);
        gauge("sluicegate_connections_open", self.sum(|c| &c.connections_open));
        gauge("sluicegate_connections_parked", self.sum(|c| &c.connections_parked));
        gauge("sluicegate_requests_in_flight", self.sum(|c| &c.requests_in_flight));
        counter("sluicegate_tls_handshakes_total", self.sum(|c| &c.handshakes));
        counter("sluicegate_tls_handshakes_failed_total", self.sum(|c| &c.handshakes_failed));
        counter("sluicegate_connections_accepted_total", self.sum(|c| &c.connections_accepted));
        counter("sluicegate_connections_passed_total", self.sum(|c| &c.connections_passed));
        counter("sluicegate_received_bytes_total", self.sum(|c| &c.received_bytes));
        counter("sluicegate_sent_bytes_total", self.sum(|c| &c.sent_bytes));
        counter("sluicegate_upstream_connects_total", self.sum(|c| &c.upstream_connects));
        counter("sluicegate_upstream_connect_failures_total", self.sum(|c| &c.upstream_connect_failures));
        counter("sluicegate_upstream_reuses_total", self.sum(|c| &c.upstream_reuses));
        counter("sluicegate_retries_total", self.sum(|c| &c.retries));
        counter("sluicegate_late_request_bytes_total", self.sum(|c| &c.late_bytes));
        counter("sluicegate_access_log_lines_dropped_total", self.sum(|c| &c.access_lines_dropped));
        for (place, class) in CLASSES.iter().enumerate() {
            let value = self.sum(|c| &c.responses[place]);
            metrics::counter!("sluicegate_responses_total", "class" => *class).absolute(value);
        }
        for refusal in Refusal::ALL {
            let value = self.sum(|c| c.refusals.of(*refusal));
            metrics::counter!("sluicegate_refusals_total", "reason" => refusal.as_str()).absolute(value);
        }
    }

    /// What the recorder is not used for, in Prometheus' text format: histograms, because it would keep every sample,
    /// and what is
    /// counted of backends, because it would keep those that are gone.
    pub fn text(&self) -> String {
        let mut durations = Sum::default();
        self.workers.iter().for_each(|cells| durations.add(&cells.durations));
        let mut out = String::from("# TYPE sluicegate_request_duration_seconds histogram\n");
        durations.write(&mut out, "sluicegate_request_duration_seconds", "");
        self.named.write(&self.workers, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_sums_the_workers_and_its_buckets_add_up() {
        let workers = vec![Arc::new(Cells::default()), Arc::new(Cells::default())];
        workers[0].record(200, Duration::from_micros(100));
        workers[1].record(503, Duration::from_secs(100));
        let text = Metrics::new(workers).text();
        assert!(text.contains("_bucket{le=\"0.0005\"} 1\n"), "{text}");
        assert!(text.contains("_bucket{le=\"60\"} 1\n"), "{text}");
        assert!(text.contains("_bucket{le=\"+Inf\"} 2\n") && text.contains("_count 2\n"), "{text}");
    }
}
