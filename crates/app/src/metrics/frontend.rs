//! The load balancers in front of this node, for alerts: one that a process should be in service at and is not.

use aws::frontend::State;

use super::count;

const STATE: &str = "sluicegate_load_balancer_state";
const ERROR: &str = "sluicegate_load_balancer_unreachable";
const REGISTERED: &str = "sluicegate_load_balancer_registrations_total";
const DEREGISTERED: &str = "sluicegate_load_balancer_deregistrations_total";
const FAILURES: &str = "sluicegate_load_balancer_failures_total";

/// Load balancers are few and their operator names them, so the labels are bounded.
pub(super) fn export(state: &State) {
    metrics::describe_gauge!(
        STATE,
        "What AWS says of this node at each load balancer or target group: 1 with the label state."
    );
    for one in &state.places {
        let labels = [
            ("kind", one.place.kind.as_str().to_owned()),
            ("name", one.place.name.clone()),
            ("scheme", one.place.scheme.map_or_else(String::new, |scheme| scheme.to_string())),
            ("state", one.health.as_str().to_owned()),
        ];
        metrics::gauge!(STATE, &labels).set(1.0);
    }
    metrics::describe_gauge!(
        ERROR,
        "Load balancers that could not be asked the last time; -1: none could be discovered."
    );
    let failing = state.places.iter().filter(|one| one.fault.is_some()).count();
    metrics::gauge!(ERROR).set(if state.fault.is_some() { -1.0 } else { count(failing) });
    metrics::describe_counter!(REGISTERED, "Registrations of this node that this process made.");
    metrics::counter!(REGISTERED).absolute(state.registered);
    metrics::describe_counter!(DEREGISTERED, "Registrations of this node that this process took back.");
    metrics::counter!(DEREGISTERED).absolute(state.deregistered);
    metrics::describe_counter!(FAILURES, "Calls of AWS for load balancers that failed, by reason.");
    for (reason, failures) in &state.failures {
        metrics::counter!(FAILURES, "reason" => *reason).absolute(*failures);
    }
}
