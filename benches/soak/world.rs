//! What the proxies are to serve, and how it changes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::certificates::{Authority, Certificate};
use crate::upstream::{self, Endpoint};

/// Endpoints that the stable backend has at a time.
const SHOP_ACTIVE: usize = 3;
/// Endpoints that it has in all: enough that one is long gone before its turn comes again.
const SHOP_ALL: usize = 40;
/// How long an endpoint serves on after the proxy has let go of it: a pod that waits a little before it stops.
const SERVES_ON: Duration = Duration::from_secs(5);

/// The present state: three backends, one of which changes its endpoints, while the others take turns on a route.
pub(crate) struct World {
    endpoints: Vec<Endpoint>,
    /// The first active endpoint of `shop`; the others follow.
    first: usize,
    /// How often the routes have changed.
    pub(crate) routes: usize,
    leaving: Vec<(usize, Instant)>,
    pub(crate) authority: Authority,
    /// What the proxy is to present.
    pub(crate) certificate: Certificate,
}

impl World {
    pub(crate) fn start() -> Result<World> {
        let mut names = vec!["blue-1".to_owned(), "green-1".to_owned()];
        names.extend((1..=SHOP_ALL).map(|number| format!("shop-{number}")));
        let authority = Authority::new()?;
        let certificate = authority.issue()?;
        let (endpoints, leaving) = (upstream::start(names)?, Vec::new());
        Ok(World { endpoints, first: 0, routes: 0, leaving, authority, certificate })
    }

    /// Where `/switch` leads.
    pub(crate) fn colour(&self) -> &'static str {
        ["blue", "green"][self.routes % 2]
    }

    /// The addresses of a backend.
    pub(crate) fn addresses(&self, app: &str) -> Vec<SocketAddr> {
        match app {
            "blue" => vec![self.endpoints[0].address],
            "green" => vec![self.endpoints[1].address],
            _ => self.active().map(|at| self.shop(at).address).collect(),
        }
    }

    /// All backends.
    pub(crate) const APPS: [&'static str; 3] = ["shop", "blue", "green"];

    /// What the routes are: each path and its backend, the longest first. A route that comes and goes is among them.
    pub(crate) fn paths(&self) -> Vec<(String, &'static str)> {
        let passing = format!("/passing-{}", self.routes);
        vec![(passing, "green"), ("/switch".to_owned(), self.colour()), ("/".to_owned(), "shop")]
    }

    pub(crate) fn change_routes(&mut self) {
        self.routes += 1;
    }

    pub(crate) fn change_certificate(&mut self) -> Result<()> {
        self.certificate = self.authority.issue()?;
        Ok(())
    }

    /// Adds an endpoint to the stable backend and takes the oldest away; returns the new one's name. The oldest stops
    /// only when [`World::let_go`] was called and some time has gone.
    pub(crate) fn change_endpoints(&mut self) -> Result<String> {
        let new = self.first + SHOP_ACTIVE;
        // It may still be on its way out.
        self.leaving.retain(|(at, _)| at % SHOP_ALL != new % SHOP_ALL);
        self.shop(new).start()?;
        self.first += 1;
        Ok(self.shop(new).name.clone())
    }

    /// The proxy has taken the last change of endpoints.
    pub(crate) fn let_go(&mut self) {
        if self.first > 0 {
            self.leaving.push((self.first - 1, Instant::now()));
        }
    }

    /// Stops the endpoints whose time has come.
    pub(crate) fn stop_leavers(&mut self) {
        let leaving = std::mem::take(&mut self.leaving);
        let (gone, still): (Vec<_>, Vec<_>) =
            leaving.into_iter().partition(|(_, since)| since.elapsed() >= SERVES_ON);
        gone.iter().for_each(|(at, _)| self.shop(*at).stop());
        self.leaving = still;
    }

    fn active(&self) -> std::ops::Range<usize> {
        self.first..self.first + SHOP_ACTIVE
    }

    fn shop(&self, at: usize) -> &Endpoint {
        &self.endpoints[2 + at % SHOP_ALL]
    }
}
