//! The route table: all routes, immutable, and the one question a request asks of it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::{Backend, BackendKey, HostMatch, HostName, PathMatch, RequestHost, RequestPath, Route};

type Map<K, V> = HashMap<K, V, RandomState>;

/// All routes and backends at one moment; a clone costs next to nothing. A request finds its route here once and keeps that snapshot to its end.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    /// Counts publications; larger is newer.
    pub generation: u64,
    routing: Arc<Routing>,
    backends: Arc<[Arc<Backend>]>,
}

/// How routes are found; one for all tables that differ only in their backends.
#[derive(Debug, Default)]
struct Routing {
    exact: Map<HostName, Paths>,
    wildcard: Map<HostName, Paths>,
    any: Paths,
    catch_all: Option<Arc<Route>>,
    routes: Vec<Arc<Route>>,
    conflicts: Vec<Conflict>,
    backend_places: Map<BackendKey, u32>,
}

/// The routes of one host.
#[derive(Debug, Default)]
struct Paths {
    exact: Map<Box<str>, Arc<Route>>,
    prefix: Map<Box<str>, Arc<Route>>,
    /// The lengths that occur in `prefix`, longest first: no others need a look.
    prefix_lengths: Vec<usize>,
    default: Option<Arc<Route>>,
}

/// Two rules for the same host and path, or two catch-all backends: the older is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The route that is not served.
    pub lost: Arc<Route>,
    /// The route that is.
    pub won: Arc<Route>,
}

impl RouteTable {
    /// The route for a request. The host is chosen first: the exact one, else the wildcard, else any host; then, of its
    /// rules alone, that with the longest matching path, Exact before Prefix; else the default backend of an Ingress
    /// that names the host; else the catch-all one. So the rules of a host decide on all of it.
    ///
    /// Costs up to two hash look-ups for the host, and then one for the whole path and one for each length of prefix
    /// that ends where an element of the path does.
    pub fn find(&self, host: Option<&RequestHost<'_>>, path: &RequestPath<'_>) -> Option<&Arc<Route>> {
        let paths = self.routing.of(host);
        paths.find(path.matching()).or(paths.default.as_ref()).or(self.routing.catch_all.as_ref())
    }

    /// The host whose rules decide on a request for `host`.
    pub fn host_of(&self, host: Option<&RequestHost<'_>>) -> HostMatch {
        let exact = host.and_then(|host| self.routing.exact.get_key_value(host.name()));
        let wildcard = || self.routing.wildcard.get_key_value(host.and_then(RequestHost::parent)?);
        match exact {
            Some((name, _)) => HostMatch::Exact(name.clone()),
            None => wildcard().map_or(HostMatch::Any, |(parent, _)| HostMatch::Wildcard(parent.clone())),
        }
    }

    /// What serves the requests that nothing else does, on every host.
    pub fn catch_all(&self) -> Option<&Arc<Route>> {
        self.routing.catch_all.as_ref()
    }

    /// All backends; a route names its own by place.
    pub fn backends(&self) -> &[Arc<Backend>] {
        &self.backends
    }

    /// The backend of a route of this table.
    pub fn backend_of(&self, route: &Route) -> &Arc<Backend> {
        &self.backends[route.backend as usize]
    }

    /// The backend of this name.
    pub fn backend(&self, key: &BackendKey) -> Option<&Arc<Backend>> {
        self.routing.backend_places.get(key).map(|place| &self.backends[*place as usize])
    }

    /// The same routes with other backends in these places; each keeps its name. It shares with this table all that
    /// does not differ, so it costs a pass over the backends' pointers and no look at a route.
    pub fn with_backends(
        &self,
        generation: u64,
        backends: impl IntoIterator<Item = (u32, Backend)>,
    ) -> RouteTable {
        let mut table = RouteTable { generation, ..self.clone() };
        for (place, backend) in backends {
            let old = &mut Arc::make_mut(&mut table.backends)[place as usize];
            debug_assert_eq!(old.key, backend.key, "a route would lead to another Service");
            *old = Arc::new(backend);
        }
        table
    }

    /// All routes that are served, in the order of their origins.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routing.routes
    }

    /// The route of the rule that is served for this host and path.
    pub fn rule(&self, host: &HostMatch, path: &PathMatch) -> Option<&Arc<Route>> {
        let paths = self.routing.get(host)?;
        match path {
            PathMatch::Exact(path) => paths.exact.get(&**path),
            PathMatch::Prefix(path) => paths.prefix.get(&**path),
        }
    }

    /// The route of what matches no rule for this host; for any host that of what nothing else matches.
    pub fn default_of(&self, host: &HostMatch) -> Option<&Arc<Route>> {
        let default = self.routing.get(host).and_then(|paths| paths.default.as_ref());
        default.or_else(|| self.routing.catch_all.as_ref().filter(|_| *host == HostMatch::Any))
    }

    /// All routes that another one keeps from being served.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.routing.conflicts
    }
}

impl Routing {
    /// The routes that decide on requests for `host`.
    fn of(&self, host: Option<&RequestHost<'_>>) -> &Paths {
        let exact = host.and_then(|host| self.exact.get(host.name()));
        let wildcard = || self.wildcard.get(host.and_then(RequestHost::parent)?);
        exact.or_else(wildcard).unwrap_or(&self.any)
    }

    fn get(&self, host: &HostMatch) -> Option<&Paths> {
        match host {
            HostMatch::Exact(name) => self.exact.get(name.as_str()),
            HostMatch::Wildcard(parent) => self.wildcard.get(parent.as_str()),
            HostMatch::Any => Some(&self.any),
        }
    }

    fn at(&mut self, host: &HostMatch) -> &mut Paths {
        match host {
            HostMatch::Exact(name) => self.exact.entry(name.clone()).or_default(),
            HostMatch::Wildcard(parent) => self.wildcard.entry(parent.clone()).or_default(),
            HostMatch::Any => &mut self.any,
        }
    }

    fn all_paths(&mut self) -> impl Iterator<Item = &mut Paths> {
        self.exact.values_mut().chain(self.wildcard.values_mut()).chain(std::iter::once(&mut self.any))
    }
}

impl Paths {
    fn find(&self, path: &str) -> Option<&Arc<Route>> {
        if !self.exact.is_empty()
            && let Some(route) = self.exact.get(path)
        {
            return Some(route);
        }
        let ends_element = |length: usize| matches!(path.as_bytes().get(length), None | Some(b'/'));
        self.prefix_lengths
            .iter()
            .filter(|length| **length <= path.len() && ends_element(**length))
            .find_map(|length| self.prefix.get(&path[..*length]))
    }

    fn insert(&mut self, route: &Arc<Route>) -> Result<(), Arc<Route>> {
        let (map, key) = match &route.path {
            PathMatch::Exact(path) => (&mut self.exact, path),
            PathMatch::Prefix(path) => (&mut self.prefix, path),
        };
        match map.get(&**key) {
            Some(first) => Err(Arc::clone(first)),
            None => {
                map.insert((**key).into(), Arc::clone(route));
                Ok(())
            }
        }
    }

    fn index_lengths(&mut self) {
        self.prefix_lengths = self.prefix.keys().map(|path| path.len()).collect();
        self.prefix_lengths.sort_unstable_by(|a, b| b.cmp(a));
        self.prefix_lengths.dedup();
    }
}

/// Collects routes in any order; [`build`](RouteTableBuilder::build) decides between those that conflict.
#[derive(Debug, Default)]
pub struct RouteTableBuilder {
    routes: Vec<Route>,
    defaults: Vec<Route>,
    catch_all: Vec<Route>,
    hosts: Vec<HostMatch>,
    backends: Vec<Arc<Backend>>,
    backend_places: Map<BackendKey, u32>,
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

    /// Adds what serves the requests for `route.host` that match no rule.
    pub fn default_for_host(&mut self, route: Route) {
        self.defaults.push(route);
    }

    /// Adds what serves the requests that nothing else does, on every host.
    pub fn catch_all(&mut self, route: Route) {
        self.catch_all.push(route);
    }

    /// Claims a host, even where none of its rules can be served: no less specific host gets its requests.
    pub fn claim(&mut self, host: HostMatch) {
        self.hosts.push(host);
    }

    /// The table, the same for any order in which the routes were added.
    pub fn build(mut self, generation: u64) -> RouteTable {
        let mut routing = Routing { backend_places: self.backend_places, ..Routing::default() };
        self.routes.sort_by(|a, b| a.origin.cmp(&b.origin));
        for route in self.routes.into_iter().map(Arc::new) {
            match routing.at(&route.host).insert(&route) {
                Ok(()) => routing.routes.push(route),
                Err(won) => routing.conflicts.push(Conflict { lost: route, won }),
            }
        }
        self.defaults.sort_by(|a, b| a.origin.cmp(&b.origin));
        for route in self.defaults.into_iter().map(Arc::new) {
            match &mut routing.at(&route.host).default {
                Some(won) if won.origin == route.origin => {}
                Some(won) => {
                    let won = Arc::clone(won);
                    routing.conflicts.push(Conflict { lost: route, won });
                }
                none => {
                    *none = Some(Arc::clone(&route));
                    routing.routes.push(route);
                }
            }
        }
        self.catch_all.sort_by(|a, b| a.origin.cmp(&b.origin));
        for route in self.catch_all.into_iter().map(Arc::new) {
            match &routing.catch_all {
                Some(won) => routing.conflicts.push(Conflict { lost: route, won: Arc::clone(won) }),
                None => {
                    routing.catch_all = Some(Arc::clone(&route));
                    routing.routes.push(route);
                }
            }
        }
        for host in &self.hosts {
            routing.at(host);
        }
        routing.all_paths().for_each(Paths::index_lengths);
        RouteTable { generation, routing: Arc::new(routing), backends: self.backends.into() }
    }
}
