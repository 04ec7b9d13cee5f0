//! When each Event is due, and how many may be written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::draft::Draft;
use crate::wait::{doubled, jittered};

/// Events that are written in a second: the store of the whole cluster takes them, and 5 000 Ingresses can be wrong at
/// once. What is too much is written later, the oldest first.
const EVENTS_PER_SECOND_MAX: f64 = 10.0;

/// Events that may be written at once after a quiet time.
const BURST_MAX: f64 = 50.0;

/// How soon an Event is tried again that the API server refused; the time doubles.
const RETRY_MIN: Duration = Duration::from_secs(5);

/// The longest time until then. Its namespace may be about to go, or a policy forbid it.
const RETRY_MAX: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Entry {
    draft: Arc<Draft>,
    due: Instant,
    failures: u32,
}

/// The Events of all problems there are, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Calendar(BTreeMap<(String, String), Entry>);

impl Calendar {
    /// These are the problems now. New ones are due; what is no problem any more is left to the API server to forget.
    pub(super) fn set(&mut self, drafts: impl Iterator<Item = Draft>, now: Instant) {
        let mut before = std::mem::take(&mut self.0);
        for draft in drafts {
            if let Slot::Vacant(slot) = self.0.entry(key(&draft)) {
                let known = before.remove(slot.key());
                slot.insert(known.unwrap_or_else(|| Entry { draft: Arc::new(draft), due: now, failures: 0 }));
            }
        }
    }

    /// The one that has been due for longest.
    pub(super) fn due(&self, now: Instant) -> Option<Arc<Draft>> {
        let first = self.0.values().min_by_key(|entry| entry.due)?;
        (first.due <= now).then(|| Arc::clone(&first.draft))
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|entry| entry.due).min()
    }

    /// The Event is as it should be until then.
    pub(super) fn written(&mut self, draft: &Draft, until: Instant) {
        if let Some(entry) = self.0.get_mut(&key(draft)) {
            (entry.due, entry.failures) = (until, 0);
        }
    }

    /// The Event could not be written.
    pub(super) fn failed(&mut self, draft: &Draft, now: Instant) {
        if let Some(entry) = self.0.get_mut(&key(draft)) {
            entry.due = now + jittered(doubled(RETRY_MIN, entry.failures, RETRY_MAX));
            entry.failures = entry.failures.saturating_add(1);
        }
    }
}

fn key(draft: &Draft) -> (String, String) {
    (draft.namespace.clone(), draft.name.clone())
}

/// What may be written: it fills up at a steady pace.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(now: Instant) -> Bucket {
        Bucket { tokens: BURST_MAX, at: now }
    }

    /// Whether one more may be written.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * EVENTS_PER_SECOND_MAX).min(BURST_MAX);
        self.at = now;
        let may = self.tokens >= 1.0;
        if may {
            self.tokens -= 1.0;
        }
        may
    }

    /// When one more may be written.
    pub(super) fn next(&self) -> Instant {
        // A nanosecond more than the missing part takes, which may be rounded down.
        let missing = (1.0 - self.tokens).max(0.0) / EVENTS_PER_SECOND_MAX;
        self.at + Duration::from_secs_f64(missing) + Duration::from_nanos(u64::from(missing > 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::events::draft::tests::named_draft;

    fn set(calendar: &mut Calendar, names: &[&str], now: Instant) {
        calendar.set(names.iter().map(|name| named_draft(name)), now);
    }

    fn due(calendar: &Calendar, now: Instant) -> Option<String> {
        let draft = calendar.due(now)?;
        draft.name.split('.').next().map(str::to_owned)
    }

    #[test]
    fn what_waits_longest_is_written_first_and_what_is_mended_meanwhile_not_at_all() {
        let (mut calendar, now) = (Calendar::default(), Instant::now());
        let second = Duration::from_secs(1);
        set(&mut calendar, &["b"], now);
        set(&mut calendar, &["a", "b", "c"], now + second);
        assert_eq!(due(&calendar, now + second).as_deref(), Some("b"));
        set(&mut calendar, &["c"], now + 2 * second);
        assert_eq!(due(&calendar, now + 2 * second).as_deref(), Some("c"));
        set(&mut calendar, &[], now + 3 * second);
        assert_eq!((due(&calendar, now + 3 * second), calendar.next()), (None, None));
    }

    #[test]
    fn a_problem_that_stays_is_written_again_when_its_event_is_old() {
        let (mut calendar, now) = (Calendar::default(), Instant::now());
        let later = now + Duration::from_secs(1800);
        set(&mut calendar, &["a"], now);
        calendar.written(&named_draft("a"), later);
        set(&mut calendar, &["a"], now);
        assert_eq!((due(&calendar, now), calendar.next()), (None, Some(later)));
        assert_eq!(due(&calendar, later).as_deref(), Some("a"));
    }

    #[test]
    fn an_event_that_is_refused_holds_up_no_other_one() {
        let (mut calendar, now) = (Calendar::default(), Instant::now());
        set(&mut calendar, &["a", "b"], now);
        for _ in 0..40 {
            calendar.failed(&named_draft("a"), now);
        }
        assert_eq!(due(&calendar, now).as_deref(), Some("b"));
        calendar.written(&named_draft("b"), now + 2 * RETRY_MAX);
        assert!(calendar.next().is_some_and(|next| next >= now + RETRY_MAX / 2 && next <= now + RETRY_MAX));
    }

    #[test]
    fn a_burst_is_written_at_once_and_the_rest_at_a_steady_pace() {
        let now = Instant::now();
        let mut bucket = Bucket::full(now);
        assert_eq!((0..1000).filter(|_| bucket.take(now)).count(), 50);
        let mut at = now;
        let mut taken = 0;
        while at <= now + Duration::from_secs(10) {
            taken += u32::from(bucket.take(at));
            at = bucket.next().max(at);
        }
        assert!((99..=101).contains(&taken), "{taken} in ten seconds");
        assert_eq!((0..1000).filter(|_| bucket.take(at + Duration::from_secs(3600))).count(), 50);
    }
}
