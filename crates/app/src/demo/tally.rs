//! What has been counted so far.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::histogram::Histogram;

/// How a request was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection could be opened.
    Connect,
    /// The connection was gone before an answer.
    NoAnswer,
    /// The answer broke off.
    CutShort,
    /// No answer in time.
    TooLate,
    /// The answer has another status than 200.
    Status,
    /// The answer is from an upstream that may not give it.
    WrongUpstream,
}

impl Failure {
    const ALL: [Failure; 6] = [
        Failure::Connect,
        Failure::NoAnswer,
        Failure::CutShort,
        Failure::TooLate,
        Failure::Status,
        Failure::WrongUpstream,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Failure::Connect => "no connection",
            Failure::NoAnswer => "connection closed without an answer",
            Failure::CutShort => "answer cut short",
            Failure::TooLate => "no answer in time",
            Failure::Status => "status other than 200",
            Failure::WrongUpstream => "answered by the wrong upstream",
        }
    }
}

/// Counts for all threads of the demo. A lock for each answer is nothing beside the answer.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    started: Option<Instant>,
    all: Histogram,
    /// Since the last line.
    recent: Histogram,
    failures: [u64; Failure::ALL.len()],
    cut: u64,
    changes: u64,
    slowest_change: Duration,
    last_change: String,
}

impl Counts {
    fn dropped(&self) -> u64 {
        self.failures.iter().sum::<u64>() + self.cut
    }
}

impl Tally {
    /// A request that was answered as it should be.
    pub(super) fn answer(&self, took: Duration) {
        let mut counts = self.lock();
        counts.started.get_or_insert_with(Instant::now);
        counts.all.record(took);
        counts.recent.record(took);
    }

    /// A request that was not.
    pub(super) fn drop(&self, failure: Failure) {
        self.lock().failures[failure as usize] += 1;
    }

    /// Requests that the proxy itself says it cut.
    pub(super) fn cut_by_proxy(&self, cut: u64) {
        self.lock().cut += cut;
    }

    /// A change that was seen live this long after it was begun.
    pub(super) fn change(&self, what: String, took: Duration) {
        let mut counts = self.lock();
        counts.changes += 1;
        counts.slowest_change = counts.slowest_change.max(took);
        counts.last_change = what;
    }

    /// The live line; `since` is the time since the last one.
    pub(super) fn line(&self, elapsed: Duration, since: Duration) -> String {
        let mut counts = self.lock();
        let recent = std::mem::take(&mut counts.recent);
        format!(
            "{:.1} s | {} requests/s | p99 {} | changes applied: {} | dropped: {}",
            elapsed.as_secs_f64(),
            per_second(recent.count(), since),
            millis(recent.quantile(0.99)),
            counts.changes,
            counts.dropped(),
        )
    }

    /// The last change, in words.
    pub(super) fn last_change(&self) -> String {
        self.lock().last_change.clone()
    }

    /// The counts at the end.
    pub(super) fn totals(&self) -> Totals {
        let counts = self.lock();
        let elapsed = counts.started.map_or(Duration::ZERO, |started| started.elapsed());
        let failures = Failure::ALL.into_iter().zip(counts.failures).filter(|(_, count)| *count > 0);
        let mut dropped: Vec<_> = failures.map(|(failure, count)| (failure.as_str(), count)).collect();
        if counts.cut > 0 {
            dropped.push(("cut by the proxy at its end", counts.cut));
        }
        Totals {
            elapsed,
            requests: counts.all.count(),
            p50: counts.all.quantile(0.5),
            p99: counts.all.quantile(0.99),
            changes: counts.changes,
            slowest_change: counts.slowest_change,
            dropped,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the demo came to.
pub(super) struct Totals {
    elapsed: Duration,
    requests: u64,
    p50: Duration,
    p99: Duration,
    changes: u64,
    slowest_change: Duration,
    /// Only the ways that happened.
    dropped: Vec<(&'static str, u64)>,
}

impl Totals {
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.iter().map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "drained; totals: {} requests in {:.1} s ({} requests/s), p50 {}, p99 {}, changes applied: {} (the slowest \
             was live after {}), dropped: {}",
            self.requests,
            self.elapsed.as_secs_f64(),
            per_second(self.requests, self.elapsed),
            millis(self.p50),
            millis(self.p99),
            self.changes,
            millis(self.slowest_change),
            self.dropped(),
        )?;
        self.dropped.iter().try_for_each(|(how, count)| write!(f, "\n  {how}: {count}"))
    }
}

fn per_second(count: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000_000) / micros
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
