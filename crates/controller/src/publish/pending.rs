//! Until when endpoints of before go on for the backends that are pending: compile says which these are, and has no
//! clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use model::BackendKey;

/// The backends that are pending, and until when each may be.
#[derive(Debug)]
pub(super) struct Pending {
    time: Duration,
    until: BTreeMap<BackendKey, Instant>,
}

impl Pending {
    /// None yet; each may be for so long.
    pub(super) fn new(time: Duration) -> Pending {
        Pending { time, until: BTreeMap::new() }
    }

    /// These are pending now. The time of one that was before goes on; one that was not for a while begins anew.
    pub(super) fn follow(&mut self, pending: &BTreeSet<BackendKey>, now: Instant) {
        self.until.retain(|key, _| pending.contains(key));
        for key in pending {
            if !self.until.contains_key(key) {
                self.until.insert(key.clone(), now + self.time);
            }
        }
    }

    /// Those whose time is over.
    pub(super) fn over(&self, now: Instant) -> BTreeSet<BackendKey> {
        self.until.iter().filter(|(_, until)| **until <= now).map(|(key, _)| key.clone()).collect()
    }

    /// When the next one's time is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    fn keys(services: &[&str]) -> BTreeSet<BackendKey> {
        let key = |service: &&str| BackendKey {
            namespace: "shop".into(),
            service: (*service).into(),
            port: "80".into(),
            transport: std::sync::Arc::default(),
        };
        services.iter().map(key).collect()
    }

    #[test]
    fn each_backend_is_pending_for_its_own_time_whatever_else_is_published_meanwhile() {
        let (mut pending, start) = (Pending::new(TIME), Instant::now());
        assert_eq!(pending.due(), None);
        pending.follow(&keys(&["a"]), start);
        pending.follow(&keys(&["a", "b"]), start + TIME / 2);
        assert_eq!(pending.due(), Some(start + TIME));
        assert!(pending.over(start + TIME * 9 / 10).is_empty());
        assert_eq!(pending.over(start + TIME), keys(&["a"]));
        pending.follow(&keys(&["b"]), start + TIME);
        assert_eq!(pending.due(), Some(start + TIME * 3 / 2));
    }

    #[test]
    fn a_backend_that_was_met_in_between_begins_anew() {
        let (mut pending, start) = (Pending::new(TIME), Instant::now());
        pending.follow(&keys(&["a"]), start);
        pending.follow(&keys(&[]), start + TIME / 2);
        pending.follow(&keys(&["a"]), start + TIME / 2);
        assert_eq!(pending.due(), Some(start + TIME * 3 / 2));
    }
}
