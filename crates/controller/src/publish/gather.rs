//! How changes that come together are gathered.

use std::time::{Duration, Instant};

/// Lets a burst of changes give one publication: one is due once nothing has changed for a quiet time, or the first
/// change has waited long enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather {
    quiet: Duration,
    at_most: Duration,
    /// Whether a change that comes alone waits too.
    lone_waits: bool,
    /// Whether something that waits is more than endpoints.
    routes_wait: bool,
    /// The first and the last change that wait.
    waiting: Option<(Instant, Instant)>,
    /// When changes were last taken.
    taken: Option<Instant>,
}

impl Gather {
    /// Every change waits for quiet: a folder is edited file by file.
    pub(crate) fn new(quiet: Duration, at_most: Duration) -> Gather {
        Gather { quiet, at_most, lone_waits: true, routes_wait: false, waiting: None, taken: None }
    }

    /// A change after a quiet time is due at once; only what follows on its heels is gathered. Of endpoints no more than
    /// a quiet time's worth, whether it is quiet or not: they have no halves that wait for each other, and cost little.
    pub(crate) fn eager(quiet: Duration, at_most: Duration) -> Gather {
        Gather { lone_waits: false, ..Gather::new(quiet, at_most) }
    }

    /// Something changed: routes, or only endpoints.
    pub(crate) fn mark(&mut self, now: Instant, routes: bool) {
        let first = self.waiting.map_or(now, |(first, _)| first);
        self.waiting = Some((first, now));
        self.routes_wait |= routes;
    }

    /// When the publication is due; `None` if nothing waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        let (first, last) = self.waiting?;
        let rested = self.taken.map_or(first, |taken| taken + self.quiet);
        if !self.lone_waits && (first >= rested || !self.routes_wait) {
            return Some(first.max(rested));
        }
        Some((first + self.at_most).min(last + self.quiet))
    }

    /// The changes so far are being taken.
    pub(crate) fn clear(&mut self, now: Instant) {
        (self.waiting, self.routes_wait, self.taken) = (None, false, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(10);
    const AT_MOST: Duration = Duration::from_millis(100);

    #[test]
    fn a_single_change_is_due_after_the_quiet_time() {
        let (start, mut gather) = (Instant::now(), Gather::new(QUIET, AT_MOST));
        assert_eq!(gather.due(), None);
        gather.mark(start, true);
        assert_eq!(gather.due(), Some(start + QUIET));
        gather.clear(start);
        assert_eq!(gather.due(), None);
    }

    #[test]
    fn an_eager_gatherer_takes_a_lone_change_at_once_and_gathers_what_follows() {
        let (start, mut gather) = (Instant::now(), Gather::eager(QUIET, AT_MOST));
        gather.mark(start, true);
        assert_eq!(gather.due(), Some(start));
        gather.clear(start);
        gather.mark(start + QUIET / 2, true);
        assert_eq!(gather.due(), Some(start + QUIET / 2 + QUIET));
        gather.clear(start + 2 * QUIET);
        gather.mark(start + 3 * QUIET, true);
        assert_eq!(gather.due(), Some(start + 3 * QUIET));
    }

    #[test]
    fn endpoints_wait_for_no_quiet_but_are_not_published_more_often_than_that() {
        let (start, mut gather) = (Instant::now(), Gather::eager(QUIET, AT_MOST));
        gather.clear(start);
        (1..5).for_each(|step| gather.mark(start + step * QUIET / 5, false));
        assert_eq!(gather.due(), Some(start + QUIET));
        gather.mark(start + QUIET * 4 / 5, true);
        assert_eq!(gather.due(), Some(start + QUIET * 9 / 5));
    }

    #[test]
    fn a_burst_is_due_when_it_ends_but_never_later_than_at_most() {
        let (start, mut gather) = (Instant::now(), Gather::new(QUIET, AT_MOST));
        (0..5).for_each(|step| gather.mark(start + step * QUIET / 2, true));
        assert_eq!(gather.due(), Some(start + 3 * QUIET));
        (5..1000).for_each(|step| gather.mark(start + step * QUIET / 2, true));
        assert_eq!(gather.due(), Some(start + AT_MOST));
    }
}
