//! What was written when, so that no status is written again before the watch can have shown it, and a fight with
//! another writer becomes slower and slower.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::writer::Write;
use crate::kinds::Id;
use crate::report::pace::earlier;
use crate::wait::{doubled, jittered};

/// How long a status that was written may take to show in the watch.
const SETTLES_AFTER: Duration = Duration::from_secs(5);

/// The longest wait for a status that another writer changes back each time, or that is refused each time.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// A status that stays as it was written for so long after its last wait has no other writer any more.
const CALM_AFTER: Duration = Duration::from_secs(600);

/// An object that is not ours any more keeps its status for so long: an IngressClass that is replaced is away for a
/// moment, and DNS records hang on the status.
const CLEARED_AFTER: Duration = Duration::from_secs(5);

/// When a status may be written next.
#[derive(Debug)]
struct Entry {
    status: Option<Arc<Value>>,
    tries: u32,
    until: Instant,
}

/// The statuses that were written, or are to be cleared.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Id, Entry>,
    /// When the last statuses that were written will have settled.
    settled: Option<Instant>,
}

impl Ledger {
    /// Those of the wrong statuses that may be written now, and when the next one may.
    pub(super) fn due(&mut self, wrong: Vec<Write>, now: Instant) -> (Vec<Write>, Option<Instant>) {
        self.settled = None;
        self.forget(&wrong, now);
        let mut next = None;
        let due = wrong.into_iter().filter(|write| {
            let at = self.not_before(write, now);
            if at > now {
                next = earlier(next, Some(at));
            }
            at <= now
        });
        (due.collect(), next)
    }

    fn not_before(&mut self, write: &Write, now: Instant) -> Instant {
        match self.entries.get_mut(&write.id) {
            Some(entry) if entry.status == write.status => entry.until,
            _ if write.status.is_some() => now,
            _ => {
                let until = now + CLEARED_AFTER;
                let entry = Entry { status: write.status.clone(), tries: 0, until };
                self.entries.insert(write.id.clone(), entry);
                until
            }
        }
    }

    /// Statuses that have been right for long, and objects that are gone.
    fn forget(&mut self, wrong: &[Write], now: Instant) {
        let wrong: BTreeSet<&Id> = wrong.iter().map(|write| &write.id).collect();
        self.entries.retain(|key, entry| {
            let is_wrong = wrong.contains(key);
            // One that was never cleared became ours again.
            is_wrong || (entry.tries > 0 && now < entry.until + CALM_AFTER)
        });
    }

    /// The status is being written; returns how often that is now.
    pub(super) fn tried(&mut self, write: &Write, now: Instant) -> u32 {
        let before = self.entries.get(&write.id).filter(|entry| entry.status == write.status);
        let tries = before.map_or(1, |entry| entry.tries.saturating_add(1));
        let until = now + jittered(doubled(SETTLES_AFTER, tries, RETRY_MAX));
        let entry = Entry { status: write.status.clone(), tries, until };
        self.entries.insert(write.id.clone(), entry);
        self.settled = earlier(self.settled, Some(until));
        tries
    }

    /// When to look whether what was written since the last [`due`](Ledger::due) has helped.
    pub(super) fn settled(&self) -> Option<Instant> {
        self.settled
    }

    /// That the API server was away is not this status' fault.
    pub(super) fn forgive(&mut self, write: &Write, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&write.id) {
            entry.tries = entry.tries.saturating_sub(1);
            entry.until = entry.until.min(now + SETTLES_AFTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use compile::ObjectKey;

    use super::*;
    use crate::kinds::Kind;

    fn write(ip: &str) -> Write {
        let id = Id::new(Kind::Ingress, ObjectKey::new("shop", "a"));
        Write { id, status: Some(Arc::new(Value::from(ip))) }
    }

    fn clear() -> Write {
        Write { status: None, ..write("") }
    }

    fn take(ledger: &mut Ledger, write: &Write, now: Instant) -> bool {
        let (due, next) = ledger.due(vec![write.clone()], now);
        assert_eq!(due.is_empty(), next.is_some(), "what is not due now is due later");
        for write in &due {
            ledger.tried(write, now);
        }
        !due.is_empty()
    }

    #[test]
    fn a_status_is_not_written_again_before_the_watch_can_have_shown_it() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        assert!(take(&mut ledger, &write("192.0.2.1"), now));
        assert!(!take(&mut ledger, &write("192.0.2.1"), now + SETTLES_AFTER / 2));
        assert!(take(&mut ledger, &write("192.0.2.1"), now + 2 * SETTLES_AFTER));
    }

    #[test]
    fn other_addresses_are_written_at_once() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        assert!(take(&mut ledger, &write("192.0.2.1"), now));
        assert!(take(&mut ledger, &write("192.0.2.2"), now));
    }

    #[test]
    fn a_fight_becomes_slow_and_is_forgotten_when_it_is_over() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        let mut now = start;
        let writes_until = |ledger: &mut Ledger, now: &mut Instant, end: Instant| {
            let mut writes = 0;
            while *now < end {
                writes += u32::from(take(ledger, &write("192.0.2.1"), *now));
                *now += Duration::from_secs(1);
            }
            writes
        };
        let first_hour = writes_until(&mut ledger, &mut now, start + Duration::from_secs(3600));
        assert!((14..=30).contains(&first_hour), "{first_hour} writes in the first hour");
        now += RETRY_MAX + CALM_AFTER;
        assert_eq!(ledger.due(Vec::new(), now), (Vec::new(), None));
        assert!(ledger.entries.is_empty());
    }

    #[test]
    fn a_class_that_is_away_for_a_moment_clears_no_status() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        assert!(!take(&mut ledger, &clear(), now));
        assert_eq!(ledger.due(Vec::new(), now + CLEARED_AFTER / 2), (Vec::new(), None));
        assert!(!take(&mut ledger, &clear(), now + CLEARED_AFTER), "the time runs anew");
        assert!(take(&mut ledger, &clear(), now + 2 * CLEARED_AFTER));
    }

    #[test]
    fn an_ingress_that_was_written_and_then_leaves_us_is_cleared_after_a_moment() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        assert!(take(&mut ledger, &write("192.0.2.1"), now));
        assert!(!take(&mut ledger, &clear(), now));
        assert!(take(&mut ledger, &clear(), now + CLEARED_AFTER));
    }

    #[test]
    fn the_absence_of_the_api_server_makes_no_status_wait_for_minutes() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        for _ in 0..50 {
            ledger.tried(&write("192.0.2.1"), now);
            ledger.forgive(&write("192.0.2.1"), now);
        }
        assert!(take(&mut ledger, &write("192.0.2.1"), now + SETTLES_AFTER));
    }
}
