//! The load balancers of AWS in front of this node: from the start of the process until it leaves them.

use std::convert::Infallible;

use aws::frontend::{Keeper, Settings, State};
use aws::target::Frontends;
use lifecycle::{Balancers, Readiness, Waiting, Watch};
use model::Published;

/// What is waited for, in words.
const NAME: &str = "load balancers";

/// Registers nothing before it is run.
pub(super) struct Frontend {
    keeper: Keeper,
    arrival: Option<Waiting>,
}

impl Frontend {
    pub(super) fn new(
        settings: Settings,
        phase: Watch,
        balancers: &Balancers,
        readiness: &Readiness,
    ) -> Frontend {
        let arrival = (!settings.ready_wait.is_zero()).then(|| readiness.register_arrival(NAME));
        let balancer = balancers.register(NAME);
        Frontend { keeper: Keeper::new(settings, phase, balancer), arrival }
    }

    /// What is known of the registrations, kept up to date.
    pub(super) fn state(&self) -> Published<State> {
        self.keeper.state()
    }

    /// The load balancers that were found, for DNS.
    pub(super) fn found(&self) -> Published<Frontends> {
        self.keeper.frontends()
    }

    /// Keeps this node registered for as long as the process lives.
    pub(super) async fn run(self) -> Infallible {
        self.keeper.run(self.arrival).await
    }
}
