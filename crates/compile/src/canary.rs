//! Ingresses that are variants of others: they have no routes of their own, but get a part of the requests for the
//! route of the rule that is written as theirs is. All else, from certificates to guards, is that route's.
//!
//! ingress-nginx attaches a canary to the Service of that rule, and so to every rule of any host that leads to the same
//! one; here it belongs to the rule alone, and it has to be in the rule's namespace.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use model::{ObjectRef, Origin, Target};

use crate::policy::{self, CanarySettings};
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::reference::Reference;
use crate::source::{Draft, Written};

/// All canaries.
#[derive(Default)]
pub(crate) struct Canaries(BTreeMap<Written, Canary>);

/// What splits off from a rule's route.
pub(crate) struct Canary {
    /// What it leads to.
    pub(crate) backend: Reference,
    /// The field that says so.
    pub(crate) backend_field: String,
    pub(crate) origin: Origin,
    asked: Arc<CanarySettings>,
    state: Cell<State>,
}

/// What became of a canary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NoPrimary,
    InAnotherNamespace,
    Used,
}

impl Canaries {
    /// The canaries of these drafts; of several for one rule the oldest.
    pub(crate) fn new(drafts: Vec<Draft>, problems: &mut Problems) -> Canaries {
        let mut all = Vec::new();
        for Draft { asked, routes, .. } in drafts {
            let asked = Arc::new(asked.canary);
            all.extend(routes.into_iter().map(|route| (route, Arc::clone(&asked))));
        }
        all.sort_by(|(one, _), (other, _)| one.origin.cmp(&other.origin));
        let mut canaries = Canaries::default();
        for (route, asked) in all {
            let (backend, backend_field, origin) = (route.backend, route.backend_field, route.origin);
            match canaries.0.entry(route.written) {
                Entry::Vacant(place) => {
                    let state = Cell::new(State::NoPrimary);
                    place.insert(Canary { backend, backend_field, origin, asked, state });
                }
                Entry::Occupied(first) => {
                    let message =
                        format!("is a canary of a rule that has one, {}, which is older", first.get().origin);
                    let fault = Fault::error(reasons::CONFLICT, message, "remove one of them");
                    problems.add(ObjectRef::clone(&origin.object), &*origin.field, fault);
                }
            }
        }
        canaries
    }

    /// The canary of a rule of this namespace.
    pub(crate) fn of(&self, written: &Written, namespace: &str) -> Option<&Canary> {
        let canary = self.0.get(written)?;
        let is_own = canary.origin.object.namespace == namespace;
        match (is_own, canary.state.get()) {
            (true, _) => canary.state.set(State::Used),
            (false, State::NoPrimary) => canary.state.set(State::InAnotherNamespace),
            (false, _) => {}
        }
        is_own.then_some(canary)
    }

    /// Tells of those that no rule has taken.
    pub(crate) fn tell_unused(&self, problems: &mut Problems) {
        for Canary { origin, state, .. } in self.0.values() {
            let message = match state.get() {
                State::Used => continue,
                State::NoPrimary => "is a canary of no rule, so nothing is served by it",
                State::InAnotherNamespace => {
                    "is a canary of a rule in another namespace, so nothing is served by it"
                }
            };
            let remedy = "write the rule with the host, path and pathType of an Ingress in the same namespace that is no canary";
            let fault = Fault::warning(reasons::NOTHING_TO_SERVE, message, remedy);
            problems.add(ObjectRef::clone(&origin.object), &*origin.field, fault);
        }
    }
}

impl Canary {
    /// The target of a route that leads to the primary backend where it does not lead to this one.
    pub(crate) fn split(&self, primary: u32, backend: u32, problems: &mut Problems) -> Target {
        if primary == backend {
            let message = "is a canary that leads where its rule leads without it";
            let fault = Fault::warning(reasons::NO_EFFECT, message, "name another Service or port");
            problems.add(ObjectRef::clone(&self.origin.object), &*self.backend_field, fault);
            return Target::Backend(primary);
        }
        policy::split(&self.asked, primary, backend)
    }
}
