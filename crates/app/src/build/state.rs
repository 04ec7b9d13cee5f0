//! The state of the process, for the pages that show it.

use std::sync::{Arc, OnceLock};

use admin::{Sources, State};
use controller::Live;
use lifecycle::{Readiness, Watch};
use model::{Problem, Published};

use super::lame_duck::LameDuck;
use super::upgrade::Upgrade;
use crate::metrics::Metrics;

/// What decides whether and how the process leaves, and what it counts.
#[derive(Clone)]
pub(super) struct Standing {
    pub(super) watch: Watch,
    pub(super) duck: LameDuck,
    pub(super) upgrade: Upgrade,
    /// What is wrong with ports of ours.
    pub(super) ports: Published<Vec<Problem>>,
    /// The data plane starts later than the pages.
    proxy: Arc<OnceLock<proxy::Metrics>>,
    /// The DNS records of what is served.
    #[cfg(feature = "aws")]
    pub(super) dns: Option<Published<aws::dns::keeper::State>>,
    /// The load balancers in front of this node.
    #[cfg(feature = "aws")]
    pub(super) frontend: Option<Published<aws::frontend::State>>,
}

impl Standing {
    pub(super) fn new(watch: Watch, duck: LameDuck, upgrade: Upgrade) -> Standing {
        Standing {
            watch,
            duck,
            upgrade,
            ports: Published::new(Vec::new()),
            proxy: Arc::default(),
            #[cfg(feature = "aws")]
            dns: None,
            #[cfg(feature = "aws")]
            frontend: None,
        }
    }

    /// The data plane serves, and counts here.
    pub(super) fn serves(&self, metrics: proxy::Metrics) {
        // Only one data plane is ever started.
        let _ = self.proxy.set(metrics);
    }

    /// What the pages are made of.
    pub(super) fn sources(&self, live: &Live, readiness: Readiness) -> Sources {
        let metrics =
            Metrics::new(live.clone(), self.ports.clone(), self.watch.clone(), Arc::clone(&self.proxy));
        #[cfg(feature = "aws")]
        let metrics = metrics.with_frontend(self.frontend.clone()).with_dns(self.dns.clone());
        let (standing, routes) = (self.clone(), live.routes.clone());
        Sources {
            readiness,
            routes: live.routes.clone(),
            problems: live.problems.clone(),
            port_problems: self.ports.clone(),
            no_routes: live.no_routes.clone(),
            state: Box::new(move || standing.state()),
            explain: Box::new(move |query| crate::explain::live(query, &routes.load())),
            metrics: Box::new(move || metrics.render()),
        }
    }

    fn state(&self) -> State {
        let (connections, requests) = self.proxy.get().map(proxy::Metrics::open).unwrap_or_default();
        State {
            pid: std::process::id(),
            phase: self.watch.phase().as_str(),
            reasons: self.duck.reasons(),
            let_go: self.duck.let_go(),
            connections,
            requests,
            upgrade_failed: self.upgrade.failed(),
            #[cfg(feature = "aws")]
            dns: self.dns.as_ref().map(|live| crate::dns::shown(&live.load())),
            #[cfg(not(feature = "aws"))]
            dns: None,
            #[cfg(feature = "aws")]
            load_balancers: self.frontend.as_ref().map(|live| crate::frontend::shown(&live.load())),
            #[cfg(not(feature = "aws"))]
            load_balancers: None,
        }
    }
}
