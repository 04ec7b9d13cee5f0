//! The route table: all routes, immutable, and the one question a request asks of it.

mod builder;
mod paths;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::{
    Backend, BackendKey, ClientTls, Facts, HostMatch, HostName, Keyed, ObjectRef, PathMatch, Primary,
    RequestHost, Route, Split, StickyValue, Target, TcpService,
};

pub use builder::RouteTableBuilder;
use paths::{Paths, SamePath};

type Map<K, V> = HashMap<K, V, RandomState>;

/// All routes and backends at one moment; a clone costs next to nothing. A request finds its route here once and keeps
/// that snapshot to its end.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    /// Counts publications; larger is newer.
    pub generation: u64,
    routing: Arc<Routing>,
    backends: Arc<[Arc<Backend>]>,
}

/// The hosts whose rules are those of other names, each by that name.
#[derive(Debug, Default)]
struct Aliases {
    exact: Map<HostName, HostMatch>,
    wildcard: Map<HostName, HostMatch>,
}

impl Aliases {
    /// Adds one, unless there is one for that name.
    fn add(&mut self, alias: HostMatch, host: HostMatch) {
        match alias {
            HostMatch::Exact(name) => self.exact.entry(name).or_insert(host),
            HostMatch::Wildcard(parent) => self.wildcard.entry(parent).or_insert(host),
            HostMatch::Any => return,
        };
    }
}

/// How routes are found; one for all tables that differ only in their backends.
#[derive(Debug, Default)]
struct Routing {
    exact: Map<HostName, Paths>,
    wildcard: Map<HostName, Paths>,
    any: Paths,
    /// Hosts without rules of their own, and those whose rules are theirs.
    aliases: Aliases,
    /// Hosts all of whose paths are patterns, and what asked for it.
    pattern_hosts: BTreeMap<HostMatch, Arc<ObjectRef>>,
    catch_all: SamePath,
    routes: Vec<Arc<Route>>,
    conflicts: Vec<Conflict>,
    backend_places: Map<BackendKey, u32>,
    /// What is demanded of the clients of hosts that demand something.
    client_tls: Map<HostMatch, Arc<ClientTls>>,
    /// The routes of hosts whose TLS connections are passed on.
    passed: Map<HostMatch, Arc<Route>>,
    /// By their ports.
    tcp_services: BTreeMap<u16, TcpService>,
}

/// Two rules for the same host, path and conditions, or two catch-all backends: the older is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The route that is not served.
    pub lost: Arc<Route>,
    /// The route that is.
    pub won: Arc<Route>,
}

impl RouteTable {
    /// The route for a request. The host is chosen first: the exact one, else the wildcard, else any host; then, of its
    /// rules alone, an Exact one for the path, else the first pattern that matches (the longer one is asked first, then the
    /// greater), else the Prefix with the longest path; else the default backend of an Ingress that names the host; else the
    /// catch-all one. So the rules of a host decide on all of it.
    ///
    /// None, too, if the patterns would take too long for the path.
    ///
    /// A route whose conditions do not hold is passed over as if its path did not match. Of those for the same path the one
    /// with more conditions is asked first, then the older.
    ///
    /// Costs up to two hash look-ups for the host, and then one for the whole path and one for each length of prefix
    /// that ends where an element of the path does. Patterns and conditions cost only the hosts and paths that have them.
    pub fn find(&self, facts: &impl Facts) -> Option<&Arc<Route>> {
        let paths = self.routing.of(facts.host());
        paths.find(facts).ok()?.or_else(|| self.routing.catch_all.find(facts))
    }

    /// The host whose rules decide on a request for `host`.
    pub fn host_of(&self, host: Option<&RequestHost<'_>>) -> HostMatch {
        let exact = |host: &RequestHost<'_>| self.routing.exact.get_key_value(host.name());
        let wildcard = |host: &RequestHost<'_>| self.routing.wildcard.get_key_value(host.parent()?);
        if let Some((name, _)) = host.and_then(exact) {
            return HostMatch::Exact(name.clone());
        }
        let alias = host.and_then(|host| self.routing.alias_of(host)).cloned();
        let wildcard = || host.and_then(wildcard).map(|(parent, _)| HostMatch::Wildcard(parent.clone()));
        alias.or_else(wildcard).unwrap_or(HostMatch::Any)
    }

    /// The object because of which all paths of this host are patterns.
    pub fn patterns_because_of(&self, host: &HostMatch) -> Option<&ObjectRef> {
        self.routing.pattern_hosts.get(host).map(|object| &**object)
    }

    /// All hosts of which that can be said.
    pub fn pattern_hosts(&self) -> impl Iterator<Item = (&HostMatch, &ObjectRef)> {
        self.routing.pattern_hosts.iter().map(|(host, object)| (host, &**object))
    }

    /// Whether the route serves the requests that nothing else does, on every host.
    pub(crate) fn is_catch_all(&self, route: &Arc<Route>) -> bool {
        self.routing.catch_all.has(route)
    }

    /// Whether the route serves only what no rule does.
    pub fn is_default(&self, route: &Arc<Route>) -> bool {
        let of_host = self.routing.get(&route.host).is_some_and(|paths| paths.default.has(route));
        of_host || self.is_catch_all(route)
    }

    /// What is demanded of clients that open a TLS connection for this name (SNI), in lower case; of those that say none it is
    /// what is demanded of any host.
    pub fn client_tls(&self, name: Option<&str>) -> Option<&Arc<ClientTls>> {
        if self.routing.client_tls.is_empty() {
            return None;
        }
        let host = name.and_then(|name| RequestHost::parse(name).ok());
        self.routing.client_tls.get(&self.host_of(host.as_ref()))
    }

    /// Whether there is any host whose TLS connections are passed on.
    pub fn passes_any(&self) -> bool {
        !self.routing.passed.is_empty()
    }

    /// The route that TLS connections for this name (SNI), in lower case, are passed on by as they are.
    pub fn passed(&self, name: &str) -> Option<&Arc<Route>> {
        let host = RequestHost::parse(name).ok();
        self.routing.passed.get(&self.host_of(Some(&host?)))
    }

    /// All services of TCP, by their ports.
    pub fn tcp_services(&self) -> impl ExactSizeIterator<Item = &TcpService> {
        self.routing.tcp_services.values()
    }

    /// The service of TCP at this port.
    pub fn tcp_service(&self, port: u16) -> Option<&TcpService> {
        self.routing.tcp_services.get(&port)
    }

    /// All backends; targets name theirs by place.
    pub fn backends(&self) -> &[Arc<Backend>] {
        &self.backends
    }

    /// The backend in this place.
    ///
    /// # Panics
    /// If there is none: the place is of another table.
    pub fn backend_at(&self, place: u32) -> &Arc<Backend> {
        &self.backends[place as usize]
    }

    /// The backend that a request for a route of this table goes to: the one that keeps its client, else the one that its target
    /// leads to, or while that has no endpoint that takes requests, the one that it is a variant of. `random` is asked only
    /// where chance decides, and gives an even random number below the one it is given.
    pub fn choose(&self, route: &Route, facts: &impl Facts, random: impl FnOnce(u64) -> u64) -> Option<u32> {
        match &route.target {
            Target::Nothing => None,
            Target::Backend(backend) => Some(*backend),
            Target::Split(split) => {
                let chosen = self.keeping(route, facts).or_else(|| route.target.choose(facts, random))?;
                Some(self.serving(split, chosen))
            }
        }
    }

    /// The backend that keeps the client of a request, by its cookie.
    pub fn keeping(&self, route: &Route, facts: &impl Facts) -> Option<u32> {
        let (Target::Split(split), Some(Keyed::Cookie(affinity))) =
            (&route.target, route.policy.keyed.as_deref())
        else {
            return None;
        };
        let Primary { backend: primary, others_stick } = split.primary()?;
        let keeping = StickyValue::read(&facts.cookie(&affinity.cookie)?).backend?;
        let others = route.target.variants().filter(|_| others_stick);
        [primary].into_iter().chain(others).find(|place| self.backend_at(*place).key.digest() == keeping)
    }

    /// The backend that serves in the place of this one of a split.
    pub fn serving(&self, split: &Split, backend: u32) -> u32 {
        let takes_requests = |place: u32| !self.backend_at(place).usable().is_empty();
        match split.primary() {
            Some(Primary { backend: primary, .. }) if !takes_requests(backend) && takes_requests(primary) => {
                primary
            }
            _ => backend,
        }
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

    /// The route without conditions that is served for this host and path of a rule.
    pub fn rule(&self, host: &HostMatch, path: &PathMatch) -> Option<&Arc<Route>> {
        self.routing.get(host)?.get(path)?.plain()
    }

    /// The route of what matches no rule for this host; for any host that of what nothing else matches.
    pub fn default_of(&self, host: &HostMatch) -> Option<&Arc<Route>> {
        let default = self.routing.get(host).and_then(|paths| paths.default.plain());
        default.or_else(|| self.routing.catch_all.plain().filter(|_| *host == HostMatch::Any))
    }

    /// All routes that another one keeps from ever being served.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.routing.conflicts
    }
}

impl Routing {
    /// The routes that decide on requests for `host`.
    fn of(&self, host: Option<&RequestHost<'_>>) -> &Paths {
        let exact = host.and_then(|host| self.exact.get(host.name()));
        let alias = || self.get(self.alias_of(host?)?);
        let wildcard = || self.wildcard.get(host.and_then(RequestHost::parent)?);
        exact.or_else(alias).or_else(wildcard).unwrap_or(&self.any)
    }

    /// The host whose rules are those of this one, which has none: by its own name, or by a wildcard above it unless there
    /// are rules for that.
    fn alias_of(&self, host: &RequestHost<'_>) -> Option<&HostMatch> {
        let Aliases { exact, wildcard } = &self.aliases;
        let above = || host.parent().filter(|parent| !self.wildcard.contains_key(*parent));
        exact.get(host.name()).or_else(|| wildcard.get(above()?))
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
