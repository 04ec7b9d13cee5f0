//! A stand-in for Elastic Load Balancing and for the metadata of an instance, for tests.
//!
//! Its API speaks the query protocol of both services, as far as Sluicegate asks: what is asked otherwise is refused. What it
//! does takes time, as at AWS: a registration is effective only later, a deregistration drains, and traffic goes on for a
//! moment after either. Clients that connect to one of its [fronts](Elb::front) are sent to the targets that its API has been
//! told of.
//!
//! Owns: the API, its state and its clocks, and traffic.
//! Never: Sluicegate, or AWS' SDK.
//! Start at [`Elb`].

#![allow(clippy::unwrap_used, reason = "it is for tests, and a test may stop at the first surprise")]

mod api;
mod front;
mod http;
mod metadata;
mod model;
mod query;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use front::{Front, join};
pub use model::{Balancer, Group, Kind, TargetType};

use model::Model;

/// What goes wrong with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 400 Throttling.
    Throttled,
    /// 403 AccessDenied.
    Denied,
    /// 403 ExpiredToken.
    Expired,
    /// 503 without a body.
    Unavailable,
    /// No answer.
    Hangs,
}

/// The stand-in; its threads end with the test.
pub struct Elb {
    /// Where its API and the instance metadata are.
    pub endpoint: String,
    model: Shared,
}

type Shared = Arc<Mutex<Model>>;

impl Elb {
    /// Without load balancers. A registration takes effect after `arrival`, and traffic goes on for `lag` after a
    /// deregistration.
    pub fn start(arrival: Duration, lag: Duration) -> Elb {
        let model: Shared = Arc::new(Mutex::new(Model::new(arrival, lag)));
        let shared = Arc::clone(&model);
        let address = http::serve(move |request| {
            let is_metadata = request.path.starts_with("/latest/");
            if is_metadata { metadata::answer(request, &shared) } else { api::answer(request, &shared) }
        });
        Elb { endpoint: format!("http://{address}"), model }
    }

    /// Adds a load balancer; one of the same name is replaced, and its registrations are lost.
    pub fn add(&self, balancer: Balancer) {
        self.model().add(balancer);
    }

    /// Adds a target group.
    pub fn add_group(&self, group: Group) {
        self.model().add_group(group);
    }

    /// Deletes a load balancer.
    pub fn delete(&self, name: &str) {
        self.model().balancers.retain(|balancer| balancer.name != name);
    }

    /// Takes a registration away without a word.
    pub fn lose(&self, place: &str, target: &str) {
        self.model().targets(place).retain(|known| known.id != target);
    }

    /// Makes a target fail its health checks, or pass them again.
    pub fn set_ill(&self, place: &str, target: &str, is_ill: bool) {
        self.model().targets(place).iter_mut().filter(|it| it.id == target).for_each(|it| it.is_ill = is_ill);
    }

    /// The state of a target, in the words of target groups: `unused`, `initial`, `healthy`, `unhealthy` or `draining`.
    pub fn state(&self, place: &str, target: &str) -> &'static str {
        self.model().state(place, target)
    }

    /// From now on calls of this action fail, or of all if it is `*`; with none they succeed again.
    pub fn fail(&self, action: &str, failure: Option<Failure>) {
        let mut model = self.model();
        model.failures.retain(|(failing, _)| failing != action);
        model.failures.extend(failure.map(|failure| (action.to_owned(), failure)));
    }

    /// How often an action was called so far.
    pub fn calls(&self, action: &str) -> usize {
        self.model().calls.iter().filter(|called| *called == action).count()
    }

    /// All that was refused because AWS would refuse it too, or because it is not known here.
    pub fn refused(&self) -> Vec<String> {
        self.model().refused.clone()
    }

    /// A listener of a load balancer for clients; each target's traffic goes to the address that it has here.
    pub fn front(&self, place: &str, addresses: BTreeMap<String, SocketAddr>) -> Front {
        Front::start(Arc::clone(&self.model), place.to_owned(), addresses)
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
