//! What AWS says of this node at one place, in its many words, as one of few.

use aws_sdk_elasticloadbalancing::types::InstanceState;
use aws_sdk_elasticloadbalancingv2::types::{TargetHealth, TargetHealthReasonEnum, TargetHealthStateEnum};

/// What AWS says of this node at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is not registered.
    Absent,
    /// It is registered, and not yet in service.
    Arriving(String),
    /// It is sent clients.
    InService,
    /// It is registered, and not sent clients; why, in AWS' words.
    Unhealthy(String),
    /// It is deregistered, and its connections are still being drained.
    Leaving(String),
    /// AWS does not say.
    Unknown(String),
}

impl Health {
    /// In one word, for pages and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Health::Absent => "not registered",
            Health::Arriving(_) => "registering",
            Health::InService => "in service",
            Health::Unhealthy(_) => "unhealthy",
            Health::Leaving(_) => "deregistering",
            Health::Unknown(_) => "unknown",
        }
    }

    /// AWS' reason, where it gives one.
    pub fn reason(&self) -> &str {
        match self {
            Health::Absent | Health::InService => "",
            Health::Arriving(why) | Health::Unhealthy(why) | Health::Leaving(why) | Health::Unknown(why) => {
                why
            }
        }
    }
}

/// Of an instance at a classic load balancer. Its draining shows in the description alone (Classic Load Balancers' guide,
/// "Configure connection draining").
pub(super) fn of_instance(states: &[InstanceState], instance: &str) -> Health {
    let Some(state) = states.iter().find(|state| state.instance_id() == Some(instance)) else {
        return Health::Absent;
    };
    let why = state.description().filter(|text| *text != "N/A").unwrap_or_default().to_owned();
    let says = |words: &str| why.to_ascii_lowercase().contains(words);
    match state.state().unwrap_or_default() {
        _ if says("deregistration") && says("in progress") => Health::Leaving(why),
        _ if says("not currently registered") => Health::Absent,
        _ if says("registration") && says("in progress") => Health::Arriving(why),
        "InService" => Health::InService,
        "OutOfService" => Health::Unhealthy(why),
        _ => Health::Unknown(why),
    }
}

/// Of a target.
pub(super) fn of_target(health: &TargetHealth) -> Health {
    use TargetHealthStateEnum as State;
    let code = health.reason().map(TargetHealthReasonEnum::as_str).unwrap_or_default();
    let why = [code, health.description().unwrap_or_default()];
    let why = why.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    match health.state() {
        Some(State::Healthy) => Health::InService,
        Some(State::Initial) => Health::Arriving(why),
        // It is the load balancer that has no use for it: no listener, or a zone that it is not in.
        Some(State::Unused) if code != "Target.NotRegistered" => Health::Unhealthy(why),
        Some(State::Unused) => Health::Absent,
        Some(State::Draining | State::UnhealthyDraining) => Health::Leaving(why),
        // Health checks are off: it is sent clients, healthy or not.
        Some(State::Unavailable) => Health::InService,
        Some(State::Unhealthy) => Health::Unhealthy(why),
        Some(_) | None => Health::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(state: &str, description: &str) -> Health {
        let state = InstanceState::builder().instance_id("i-1").state(state).description(description);
        of_instance(&[state.build()], "i-1")
    }

    #[test]
    fn a_classic_load_balancer_that_drains_says_so_in_its_description_alone() {
        let draining = "Instance deregistration currently in progress.";
        assert_eq!(instance("InService", draining), Health::Leaving(draining.into()));
        assert_eq!(instance("InService", "N/A"), Health::InService);
        let gone = "Instance is not currently registered with the LoadBalancer.";
        assert_eq!(instance("OutOfService", gone), Health::Absent);
        let coming = "Instance registration is still in progress.";
        assert_eq!(instance("OutOfService", coming), Health::Arriving(coming.into()));
        let ill =
            "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.";
        assert_eq!(instance("OutOfService", ill), Health::Unhealthy(ill.into()));
        assert!(matches!(instance("Unknown", "A transient error occurred."), Health::Unknown(_)));
        assert_eq!(of_instance(&[], "i-1"), Health::Absent);
    }

    #[test]
    fn a_target_that_no_load_balancer_uses_is_registered_and_unhealthy() {
        let target = |state, reason: &str| {
            let health = TargetHealth::builder().state(state).reason(reason.into()).description("Why.");
            of_target(&health.build())
        };
        use TargetHealthStateEnum as State;
        assert_eq!(target(State::Unused, "Target.NotRegistered"), Health::Absent);
        assert_eq!(
            target(State::Unused, "Target.NotInUse"),
            Health::Unhealthy("Target.NotInUse: Why.".into())
        );
        assert!(matches!(target(State::Draining, "Target.DeregistrationInProgress"), Health::Leaving(_)));
        assert!(matches!(target(State::Initial, "Elb.RegistrationInProgress"), Health::Arriving(_)));
        assert_eq!(target(State::Unavailable, "Target.HealthCheckDisabled"), Health::InService);
        assert!(matches!(target("new".into(), "x"), Health::Unknown(_)));
    }
}
