//! Deletions wait: what is planned once may be gone the next time, and much that is gone at once is rarely meant.
//!
//! Each deletion has to be planned in several cycles in a row. If more names of ours would go than a share of them, or all
//! hosts are gone, nothing is deleted at all until an operator raises the limit.

use std::collections::HashMap;

use super::apply::{ChangeKey, key};
use super::plan::{Action, Change, Plan, Withheld};

/// In how many cycles in a row a deletion has to be planned, by default.
pub const CYCLES: u32 = 2;
/// How many of a hundred names of ours may go in one cycle, by default.
pub const PERCENT_MAX: u8 = 30;
/// So many may go in any case, but never more than half: of few names a share is less than one.
const ALWAYS_MAX: usize = 10;

/// What has to be so before anything is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In how many cycles in a row a deletion has to be planned.
    pub cycles: u32,
    /// How many of a hundred names of ours may go in one cycle. With 100 all may.
    pub percent: u8,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { cycles: CYCLES, percent: PERCENT_MAX }
    }
}

/// Remembers in how many cycles each deletion was planned.
#[derive(Debug, Default)]
pub struct Guard {
    limits: Limits,
    planned: HashMap<ChangeKey, u32>,
}

impl Guard {
    /// Nothing was planned yet.
    pub fn new(limits: Limits) -> Guard {
        Guard { limits, planned: HashMap::new() }
    }

    /// Forgets what was planned before.
    pub fn forget(&mut self) {
        self.planned.clear();
    }

    /// Takes those deletions out of a plan that have to wait. `is_empty` says that no host is to be found at all.
    pub fn judge(&mut self, plan: &mut Plan, is_empty: bool) {
        let (deletions, others): (Vec<Change>, Vec<Change>) =
            std::mem::take(&mut plan.changes).into_iter().partition(|change| change.action == Action::Delete);
        plan.changes = others;
        let again = |key: ChangeKey| (self.planned.get(&key).unwrap_or(&0) + 1, key);
        self.planned = deletions.iter().map(key).map(again).map(|(times, key)| (key, times)).collect();
        let too_many = self.too_many(deletions.len(), plan.owned, is_empty);
        for change in deletions {
            let times = self.planned[&key(&change)];
            let waits = (times < self.limits.cycles).then(|| {
                format!("it is deleted only when it was planned in {} cycles in a row", self.limits.cycles)
            });
            match too_many.clone().or(waits) {
                Some(why) => plan.withheld.push(Withheld { change, why }),
                None => plan.changes.push(change),
            }
        }
    }

    /// Why nothing may be deleted, if nothing may.
    fn too_many(&self, deletions: usize, owned: usize, is_empty: bool) -> Option<String> {
        let percent = self.limits.percent;
        let max = (owned * usize::from(percent) / 100).max(ALWAYS_MAX.min(owned.div_ceil(2)));
        if percent >= 100 || deletions == 0 {
            return None;
        }
        let remedy = "if that is meant, start with --dns-delete-percent-max 100";
        if is_empty {
            return Some(format!("there is no host at all any more, so nothing is deleted; {remedy}"));
        }
        (deletions > max)
            .then(|| format!("{deletions} of {owned} names would go at once, which is too many; {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;
    use crate::dns::plan::Zone;

    fn plan(deletions: usize, owned: usize) -> Plan {
        let zone = Zone { id: "Z".into(), name: Name::new("example.com"), is_private: false };
        let change = |at: usize| Change {
            zone: zone.clone(),
            name: Name::new(&format!("h{at}.example.com")),
            action: Action::Delete,
            reason: String::new(),
            edits: Vec::new(),
        };
        Plan { changes: (0..deletions).map(change).collect(), owned, ..Plan::default() }
    }

    fn judged(guard: &mut Guard, deletions: usize, owned: usize, is_empty: bool) -> usize {
        let mut plan = plan(deletions, owned);
        guard.judge(&mut plan, is_empty);
        assert_eq!(plan.changes.len() + plan.withheld.len(), deletions);
        plan.changes.len()
    }

    #[test]
    fn a_deletion_is_made_when_it_was_planned_twice_in_a_row() {
        let mut guard = Guard::default();
        assert_eq!(judged(&mut guard, 3, 100, false), 0);
        assert_eq!(judged(&mut guard, 3, 100, false), 3);
        assert_eq!(judged(&mut guard, 0, 100, false), 0);
        assert_eq!(judged(&mut guard, 3, 100, false), 0, "it was not planned in between");
    }

    #[test]
    fn a_much_smaller_or_an_empty_set_of_hosts_deletes_nothing_until_an_operator_says_so() {
        let mut guard = Guard::default();
        for _ in 0..5 {
            assert_eq!(judged(&mut guard, 31, 100, false), 0);
            assert_eq!(judged(&mut guard, 2, 2, true), 0);
            assert_eq!(judged(&mut guard, 7, 12, false), 0);
        }
        for _ in 0..2 {
            judged(&mut guard, 30, 100, false);
        }
        assert_eq!(judged(&mut guard, 30, 100, false), 30);
        let mut told = Guard::new(Limits { percent: 100, ..Limits::default() });
        judged(&mut told, 100, 100, true);
        assert_eq!(judged(&mut told, 100, 100, true), 100);
    }
}
