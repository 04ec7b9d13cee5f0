//! The DNS records of what is served, for alerts: those that cannot be kept, and deletions that wait for an operator.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use aws::dns::keeper::State;

/// Reasons are a closed set, so the labels are bounded.
pub(super) fn export(state: &State) {
    metrics::counter!("sluicegate_dns_changes_total", "outcome" => "made").absolute(state.made);
    metrics::counter!("sluicegate_dns_changes_total", "outcome" => "refused").absolute(state.refused);
    metrics::counter!("sluicegate_dns_cycles_failed_total").absolute(state.failed);
    if !state.writes {
        return;
    }
    if let Some(last) = state.last {
        let seconds = last.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        metrics::gauge!("sluicegate_dns_last_look_timestamp_seconds").set(seconds);
    }
    for (name, names) in
        [("ours", state.owned), ("in place", state.in_place), ("held back", state.withheld.len())]
    {
        metrics::gauge!("sluicegate_dns_names", "state" => name).set(super::count(names));
    }
    let mut sums = BTreeMap::new();
    for problem in &state.problems {
        *sums.entry(problem.reason).or_insert(0_usize) += 1;
    }
    for (reason, sum) in sums {
        metrics::gauge!("sluicegate_dns_problems", "reason" => reason).set(super::count(sum));
    }
}
