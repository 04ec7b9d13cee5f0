//! What is to be done at a place, and how long it is waited for: pure decisions.

use std::time::Duration;

use super::{Health, Place};

/// What AWS lets connections have after a deregistration, unless told otherwise: a target group's
/// `deregistration_delay.timeout_seconds` and a classic balancer's connection draining, both 300 s.
pub const DRAIN_TIME_DEFAULT: Duration = Duration::from_secs(300);
/// How late AWS may tell that a drain is over.
pub const DRAIN_MARGIN: Duration = Duration::from_secs(15);

/// What this node wants to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Sent clients.
    In,
    /// Left alone.
    Out,
}

/// What is to be done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Register this node.
    Register,
    /// Deregister it.
    Deregister,
    /// Look again soon: AWS is at work, or something is wrong.
    Wait,
    /// Nothing: all is as wanted.
    Nothing,
}

/// What is to be done at a place of which AWS says this, or nothing, if it does not answer. Both calls may be made twice
/// without harm; one that AWS does not answer is asked for nothing that is not urgent.
pub fn step(wanted: Wanted, health: Option<&Health>) -> Step {
    match (wanted, health) {
        (Wanted::In, Some(Health::InService)) | (Wanted::Out, Some(Health::Absent)) => Step::Nothing,
        (Wanted::In, Some(Health::Absent | Health::Leaving(_) | Health::Unknown(_))) => Step::Register,
        (Wanted::In, Some(Health::Arriving(_) | Health::Unhealthy(_)) | None) => Step::Wait,
        (Wanted::Out, Some(Health::Leaving(_))) => Step::Wait,
        (Wanted::Out, _) => Step::Deregister,
    }
}

/// How long one that does not say that it has let go of us is waited for, from its deregistration on. As long as that has
/// failed it counts from the wish, so that a failure never shortens the wait: health checks may have to do it.
pub fn patience(place: Option<&Place>) -> Duration {
    place.and_then(|place| place.drain_time).unwrap_or(DRAIN_TIME_DEFAULT) + DRAIN_MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::{At, Kind};

    fn word() -> String {
        "why".into()
    }

    #[test]
    fn a_node_that_serves_is_registered_and_one_that_leaves_is_not() {
        let every = [
            (Health::Absent, Step::Register, Step::Nothing),
            (Health::Arriving(word()), Step::Wait, Step::Deregister),
            (Health::InService, Step::Nothing, Step::Deregister),
            (Health::Unhealthy(word()), Step::Wait, Step::Deregister),
            (Health::Leaving(word()), Step::Register, Step::Wait),
            (Health::Unknown(word()), Step::Register, Step::Deregister),
        ];
        for (health, when_in, when_out) in every {
            assert_eq!(step(Wanted::In, Some(&health)), when_in, "{health:?}");
            assert_eq!(step(Wanted::Out, Some(&health)), when_out, "{health:?}");
        }
        assert_eq!((step(Wanted::In, None), step(Wanted::Out, None)), (Step::Wait, Step::Deregister));
    }

    #[test]
    fn a_place_is_waited_for_as_long_as_aws_itself_says_and_by_default_as_long_as_its_default() {
        let place = |drain_time| Place {
            at: At::Classic("web".into()),
            kind: Kind::Classic,
            name: "web".into(),
            scheme: None,
            drain_time,
        };
        let twenty = Duration::from_secs(20);
        assert_eq!(patience(Some(&place(Some(twenty)))), twenty + DRAIN_MARGIN);
        assert_eq!(patience(Some(&place(Some(Duration::ZERO)))), DRAIN_MARGIN);
        assert_eq!(patience(Some(&place(None))), DRAIN_TIME_DEFAULT + DRAIN_MARGIN);
        assert_eq!(patience(None), DRAIN_TIME_DEFAULT + DRAIN_MARGIN);
    }
}
