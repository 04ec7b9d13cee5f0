//! How a table comes to be: routes in any order in, a decision between those that conflict out.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;

use super::paths::{Paths, SamePath};
use super::{Conflict, Map, RouteTable, Routing};
use crate::{Backend, BackendKey, HostMatch, ObjectRef, Route, TcpService};

/// Collects routes in any order; [`build`](RouteTableBuilder::build) decides between those that conflict.
#[derive(Debug, Default)]
pub struct RouteTableBuilder {
    routes: Vec<Route>,
    defaults: Vec<Route>,
    catch_all: Vec<Route>,
    hosts: Vec<HostMatch>,
    aliases: Vec<(HostMatch, HostMatch)>,
    pattern_hosts: BTreeMap<HostMatch, Arc<ObjectRef>>,
    backends: Vec<Arc<Backend>>,
    backend_places: Map<BackendKey, u32>,
    tcp_services: BTreeMap<u16, TcpService>,
}

impl RouteTableBuilder {
    /// The place of the backend of this name, which `make` makes when it is named for the first time.
    pub fn backend(&mut self, key: &BackendKey, make: impl FnOnce() -> Backend) -> u32 {
        if let Some(place) = self.backend_places.get(key) {
            return *place;
        }
        let place = u32::try_from(self.backends.len()).expect("fewer than 2^32 backends fit into memory");
        self.backends.push(Arc::new(make()));
        self.backend_places.insert(key.clone(), place);
        place
    }

    /// The backend in this place.
    ///
    /// # Panics
    /// If there is none.
    pub fn backend_at(&self, place: u32) -> &Arc<Backend> {
        &self.backends[place as usize]
    }

    /// Adds a rule.
    pub fn route(&mut self, route: Route) {
        self.routes.push(route);
    }

    /// Adds what serves the requests for `route.host` that match no rule; its path is not asked.
    pub fn default_for_host(&mut self, route: Route) {
        self.defaults.push(route);
    }

    /// Adds what serves the requests that nothing else does, on every host; its host and path are not asked.
    pub fn catch_all(&mut self, route: Route) {
        self.catch_all.push(route);
    }

    /// Claims a host, even where none of its rules can be served: no less specific host gets its requests.
    pub fn claim(&mut self, host: HostMatch) {
        self.hosts.push(host);
    }

    /// Requests for `alias` are for the rules of `host`. Of a host that has rules of its own nothing is an alias; of two for
    /// the same name the first counts.
    pub fn alias(&mut self, alias: HostMatch, host: HostMatch) {
        self.aliases.push((alias, host));
    }

    /// All paths of the host are patterns because the object asked for it.
    pub fn of_patterns(&mut self, host: HostMatch, because_of: Arc<ObjectRef>) {
        self.pattern_hosts.insert(host, because_of);
    }

    /// Adds a service of TCP; of two for one port the first counts.
    pub fn tcp_service(&mut self, service: TcpService) {
        self.tcp_services.entry(service.port).or_insert(service);
    }

    /// The table, the same for any order in which the routes were added.
    pub fn build(self, generation: u64) -> RouteTable {
        let (backend_places, pattern_hosts) = (self.backend_places, self.pattern_hosts);
        let tcp_services = self.tcp_services;
        let mut routing = Routing { backend_places, pattern_hosts, tcp_services, ..Routing::default() };
        routing.add(self.routes, |routing, route| routing.at(&route.host).at(&route.path));
        routing.add(self.defaults, |routing, route| &mut routing.at(&route.host).default);
        routing.add(self.catch_all, |routing, _| &mut routing.catch_all);
        for host in &self.hosts {
            routing.at(host);
        }
        for (alias, host) in self.aliases {
            if routing.get(&host).is_some() && routing.get(&alias).is_none() {
                routing.aliases.add(alias, host);
            }
        }
        routing.note_client_tls();
        routing.note_passed();
        routing.all_paths().for_each(Paths::sort);
        routing.catch_all.sort();
        RouteTable { generation, routing: Arc::new(routing), backends: self.backends.into() }
    }
}

impl Routing {
    /// Notes for each host what is demanded of its clients, which its routes say.
    fn note_client_tls(&mut self) {
        for route in &self.routes {
            if let Some(demanded) = route.policy.client_tls() {
                self.client_tls.entry(route.host.clone()).or_insert_with(|| Arc::clone(demanded));
            }
        }
    }

    /// Notes the hosts whose TLS connections are passed on: what the first route for all of a host says counts.
    fn note_passed(&mut self) {
        let mut seen = HashSet::new();
        let has_name = |route: &&Arc<Route>| route.host != HostMatch::Any;
        let is_whole = |route: &&Arc<Route>| route.path.is_root() && route.conditions.is_empty();
        for route in self.routes.iter().filter(has_name).filter(is_whole) {
            if seen.insert(&route.host) && route.passes_tls() {
                self.passed.insert(route.host.clone(), Arc::clone(route));
            }
        }
    }

    /// Adds routes to those of the same place, the oldest first: it is served where others ask for the same.
    fn add(
        &mut self,
        mut routes: Vec<Route>,
        place: impl for<'r> Fn(&'r mut Routing, &Route) -> &'r mut SamePath,
    ) {
        routes.sort_by(|a, b| a.origin.cmp(&b.origin));
        for route in routes.into_iter().map(Arc::new) {
            match place(self, &route).insert(&route) {
                Ok(()) => self.routes.push(route),
                // An Ingress may name a host twice, and its default backend is that of the host once.
                Err(won) if won.origin == route.origin => {}
                Err(won) => self.conflicts.push(Conflict { lost: route, won }),
            }
        }
    }
}
