//! Whether a watch works, told only when that changes.

use std::time::{Duration, Instant};

use super::{Change, Changes, Part, error};

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
    /// Whether it was told to fail.
    told: bool,
    /// What is kept although its list is without it.
    kept: Option<String>,
}

impl Health {
    pub(super) fn new(part: Part, changes: Changes) -> Health {
        Health { part, changes, errors: 0, last_error: None, told: false, kept: None }
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
            self.tell_kept().await;
        }
    }

    /// What is kept although its list is without it, and why; nothing if nothing is.
    pub(super) async fn keeping(&mut self, kept: Option<String>) {
        if self.kept != kept {
            self.kept = kept;
            if !self.told {
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
        match self.last_error {
            Some(last) => tokio::time::sleep_until((last + QUIET).into()).await,
            None => std::future::pending().await,
        }
    }
}
