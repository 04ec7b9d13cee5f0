//! The DNS records of the hosts that are served, for as long as the process may write them.

use std::convert::Infallible;

use aws::dns::keeper::{Config, Keeper, State, Wanted};
use aws::dns::plan::Desired;
use aws::dns::route53::Aws;
use aws::target::Frontends;
use controller::Live;
use model::Published;

use crate::dns::desired;

/// Writes nothing before it is run.
pub(super) struct Dns {
    config: Config,
    state: Published<State>,
}

impl Dns {
    pub(super) fn new(config: Config) -> Dns {
        Dns { config, state: Published::new(State::default()) }
    }

    /// What came of it, kept up to date.
    pub(super) fn state(&self) -> Published<State> {
        self.state.clone()
    }

    /// Keeps the records of what is live, for as long as the process lives. `frontends` are the load balancers that are found.
    pub(super) async fn run(self, live: Live, frontends: Published<Frontends>) -> Infallible {
        let route53 = Aws::new(&aws::sdk::load(&self.config.sdk).await);
        let wanted = Wanted { desired: follow(&live, &self.config), frontends, writes: live.writes.clone() };
        Keeper::new(route53, self.config, wanted, self.state).run().await
    }
}

/// The hosts that are live, in the words of DNS.
fn follow(live: &Live, config: &Config) -> Published<Desired> {
    let default = config.default_scheme;
    let of = move |hosts: &Published<Vec<compile::ServedHost>>| desired(&hosts.load(), default);
    let wanted = Published::new(of(&live.hosts));
    let (hosts, told) = (live.hosts.clone(), wanted.clone());
    live.hosts.subscribe(move || told.publish(of(&hosts)));
    wanted
}
