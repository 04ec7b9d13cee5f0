//! Whether a watch works, told only when that changes.

use std::time::{Duration, Instant};

use super::{Change, Changes, Part};

/// Errors in a row before a watch is told to fail: API servers are restarted, and one that is back at once is no news.
const ERRORS_BEFORE_TOLD: u32 = 4;

/// A watch that has had no error for this long works, even if it has had nothing to say. Longer than its longest wait
/// between two tries.
const QUIET: Duration = Duration::from_secs(10);

/// What is known of one watch.
pub(super) struct Health {
    part: Part,
    changes: Changes,
    errors: u32,
    last_error: Option<Instant>,
    told: bool,
}

impl Health {
    pub(super) fn new(part: Part, changes: Changes) -> Health {
        Health { part, changes, errors: 0, last_error: None, told: false }
    }

    /// It failed again.
    pub(super) async fn failing(&mut self, why: String, remedy: &'static str) {
        self.changes.stats().watch_errors(self.part.kind());
        self.errors += 1;
        self.last_error = Some(Instant::now());
        if self.errors >= ERRORS_BEFORE_TOLD && !self.told {
            self.told = true;
            self.changes.send(Change::Failing(self.part.clone(), why, remedy)).await;
        }
    }

    /// It had something to say.
    pub(super) async fn working(&mut self) {
        if self.errors == 0 {
            return;
        }
        (self.errors, self.last_error) = (0, None);
        if std::mem::take(&mut self.told) {
            self.changes.send(Change::Working(self.part.clone())).await;
        }
    }

    /// Waits until it works for want of errors.
    pub(super) async fn quiet(&mut self) {
        match self.last_error {
            Some(last) => tokio::time::sleep_until((last + QUIET).into()).await,
            None => std::future::pending().await,
        }
        self.working().await;
    }
}
