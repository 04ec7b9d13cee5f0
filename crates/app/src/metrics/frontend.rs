//! The load balancers in front of this node, for alerts: one that a process should be in service at and is not.

use aws::frontend::State;

/// Load balancers are few and their operator names them, so the labels are bounded.
pub(super) fn export(state: &State) {
    for one in &state.places {
        let labels = [
            ("kind", one.place.kind.as_str().to_owned()),
            ("name", one.place.name.clone()),
            ("scheme", one.place.scheme.map_or_else(String::new, |scheme| scheme.to_string())),
            ("state", one.health.as_str().to_owned()),
        ];
        metrics::gauge!("sluicegate_load_balancer_state", &labels).set(1.0);
    }
    let answers = state.fault.is_none() && state.places.iter().all(|one| one.fault.is_none());
    metrics::gauge!("sluicegate_load_balancers_reachable").set(f64::from(u8::from(answers)));
    metrics::counter!("sluicegate_load_balancer_registrations_total").absolute(state.registered);
    metrics::counter!("sluicegate_load_balancer_deregistrations_total").absolute(state.deregistered);
    for (reason, failures) in &state.failures {
        metrics::counter!("sluicegate_load_balancer_failures_total", "reason" => *reason).absolute(*failures);
    }
}
