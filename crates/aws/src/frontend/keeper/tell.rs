//! What came of a look: taken into the state, and told in the log once.

use super::super::fault::Fault;
use super::super::plan::{Step, Wanted};
use super::super::{Health, PlaceState};
use super::Keeper;
use super::visit::Visited;

impl Keeper {
    /// What came of a visit.
    pub(super) fn take_visit(&mut self, id: &str, visited: Visited, wanted: Wanted) {
        let Visited { health, done, fault } = visited;
        if let Some(fault) = &fault {
            self.fail(fault);
        }
        match done {
            Step::Register => self.state.registered += 1,
            Step::Deregister => {
                self.state.deregistered += 1;
                self.departure.iter_mut().for_each(|departure| departure.deregistered(id));
            }
            Step::Wait | Step::Nothing => {}
        }
        let Some(one) = self.state.places.iter_mut().find(|one| one.place.at.id() == id) else { return };
        tell_fault(one, fault.as_ref());
        tell_health(one, health, done, wanted);
        one.fault = fault.map(|fault| fault.to_string());
    }

    /// What keeps all places from being looked at, or that nothing does any more.
    pub(super) fn note(&mut self, done: Result<(), Fault>) {
        let fault = done.err();
        if let Some(fault) = &fault {
            self.fail(fault);
        }
        let fails = fault.is_some() || self.state.places.iter().any(|one| one.fault.is_some());
        self.failures = if fails { self.failures.saturating_add(1) } else { 0 };
        let now = fault.map(|fault| fault.to_string());
        match (&self.state.fault, &now) {
            (before, Some(fault)) if before.as_ref() != Some(fault) => {
                tracing::warn!("load balancers cannot be asked; traffic is not affected: {fault}");
            }
            (Some(_), None) => tracing::info!("load balancers can be asked again"),
            _ => {}
        }
        self.state.fault = now;
    }
}

fn tell_fault(one: &PlaceState, fault: Option<&Fault>) {
    match (&one.fault, fault.map(ToString::to_string)) {
        (before, Some(fault)) if before.as_ref() != Some(&fault) => tracing::warn!("{}: {fault}", one.place),
        (Some(_), None) => tracing::info!("{}: AWS answers again", one.place),
        _ => {}
    }
}

fn tell_health(one: &mut PlaceState, health: Option<Health>, done: Step, wanted: Wanted) {
    match done {
        Step::Register if matches!(one.health, Health::InService | Health::Unhealthy(_)) => {
            tracing::warn!("{}: this node was no longer registered, and is again", one.place);
        }
        Step::Register => tracing::info!("{}: registered", one.place),
        Step::Deregister => tracing::info!("{}: deregistered; waiting until it has drained", one.place),
        Step::Wait | Step::Nothing => {}
    }
    // What AWS said before it was told is old by now.
    let now = match (done, health) {
        (Step::Register, _) => Health::Arriving("registered just now".into()),
        (Step::Deregister, _) => Health::Leaving("deregistered just now".into()),
        (_, Some(health)) => health,
        (_, None) => return,
    };
    let Some(_) = one.set(now) else { return };
    let (place, reason) = (&one.place, one.health.reason());
    match (&one.health, wanted) {
        (Health::InService, _) => tracing::info!("{place}: in service"),
        (Health::Unhealthy(_), Wanted::In) => {
            tracing::warn!(
                "{place}: AWS sends this node no clients: {reason}; see its health check and security groups"
            );
        }
        (Health::Absent, Wanted::Out) => tracing::info!("{place}: has let go of this node"),
        (health, _) => tracing::debug!("{place}: {} {reason}", health.as_str()),
    }
}
