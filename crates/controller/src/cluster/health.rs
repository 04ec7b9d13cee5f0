//! Whether a watch works, told only when that changes.

use std::time::{Duration, Instant};

use super::connect::HEAD_TIME_MAX;
use super::{Backoff, Change, Changes, Part, error};

/// Errors in a row before a watch is told to fail: API servers are restarted, and one that is back at once is no news.
const ERRORS_BEFORE_TOLD: u32 = 4;
/// Or the time for which there were nothing but errors: one that hangs gives few.
const FAILING_BEFORE_TOLD: Duration = Duration::from_secs(10);

/// A watch that has had no error for this long works, even if it has had nothing to say.
const QUIET: Duration = Duration::from_secs(20);
const _: () = assert!(
    QUIET.as_secs() > HEAD_TIME_MAX.as_secs() + Backoff::MAX.as_secs(),
    "a try that hangs and the wait after it are no quiet"
);

/// What is known of one watch.
pub(super) struct Health {
    part: Part,
    changes: Changes,
    errors: u32,
    /// The first and the last of them.
    since: Option<(Instant, Instant)>,
    /// What was told to help, if it was told to fail.
    told: Option<&'static str>,
    /// What is kept although its list is without it.
    kept: Option<String>,
}

impl Health {
    pub(super) fn new(part: Part, changes: Changes) -> Health {
        Health { part, changes, errors: 0, since: None, told: None, kept: None }
    }

    /// It failed again.
    pub(super) async fn failing(&mut self, why: String, remedy: &'static str) {
        self.changes.stats().watch_errors(self.part.kind());
        self.errors += 1;
        let now = Instant::now();
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
        let long = now - first >= FAILING_BEFORE_TOLD;
        // An API server that is back and refuses us is another problem than one that was away.
        if (self.errors >= ERRORS_BEFORE_TOLD || long) && self.told != Some(remedy) {
            self.told = Some(remedy);
            self.changes.send(Change::Failing(self.part.clone(), why, remedy)).await;
        }
    }

    /// It had something to say.
    pub(super) async fn working(&mut self) {
        if self.errors == 0 {
            return;
        }
        (self.errors, self.since) = (0, None);
        if self.told.take().is_some() {
            self.tell_kept().await;
        }
    }

    /// What is kept although its list is without it, and why; nothing if nothing is.
    pub(super) async fn keeping(&mut self, kept: Option<String>) {
        if self.kept != kept {
            self.kept = kept;
            if self.told.is_none() {
                self.tell_kept().await;
            }
        }
    }

    async fn tell_kept(&self) {
        let part = self.part.clone();
        let change = match &self.kept {
            Some(kept) => Change::Failing(part, kept.clone(), error::KEPT_REMEDY),
            None => Change::Working(part),
        };
        self.changes.send(change).await;
    }

    /// Waits until it works for want of errors. Can be dropped at any time.
    pub(super) async fn quiet(&self) {
        match self.since {
            Some((_, last)) => tokio::time::sleep_until((last + QUIET).into()).await,
            None => std::future::pending().await,
        }
    }
}
