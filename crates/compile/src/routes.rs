//! Adds drafts of routes to the route table, whichever source they come from: builds what applies to them, looks for their
//! backends, and tells what is wrong with naming them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Conditions, HostMatch, ObjectRef, Origin, PathMatch, Route, RouteTableBuilder, Target};

use crate::backend::{Backends, Before, Led};
use crate::hosts::{Budget, HostFacts, Hosts, Matched, PathFacts};
use crate::policy::{self, Built};
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::reference::Reference;
use crate::source::{Draft, RouteDraft, RulePath, Serves};

/// Where routes, backends and problems go.
pub(crate) struct Output<'a> {
    pub(crate) builder: RouteTableBuilder,
    pub(crate) backends: Backends<'a>,
    pub(crate) problems: Problems,
}

impl Output<'_> {
    /// Adds what an object asks to have served. What applies to its routes differs at most from host to host, and by what is
    /// known of their paths, and is built once for all that are alike.
    pub(crate) fn add(&mut self, mut draft: Draft, hosts: &Hosts) {
        let unserved: Vec<HostMatch> = hosts.unserved(&draft).cloned().collect();
        let routes = std::mem::take(&mut draft.routes);
        let (built, budget) = (BTreeMap::new(), Budget::default());
        let mut adding = Adding { out: self, draft: &draft, hosts, built, budget };
        for route in routes {
            adding.add(route);
        }
        for host in unserved {
            adding.add_unserved(host);
        }
        adding.add_roots();
        for host in draft.hosts {
            self.builder.claim(host);
        }
    }

    /// Adds what is said of hosts as a whole.
    pub(crate) fn add_hosts(&mut self, hosts: &Hosts) {
        for (host, name) in hosts.aliases() {
            self.builder.alias(name.clone(), host.clone());
        }
        for (host, because_of) in hosts.of_patterns() {
            self.builder.of_patterns(host.clone(), Arc::clone(because_of));
        }
    }
}

/// A draft on its way into the table.
struct Adding<'o, 'a, 'd> {
    out: &'o mut Output<'a>,
    draft: &'d Draft,
    hosts: &'d Hosts,
    built: BTreeMap<HostFacts, Arc<Built>>,
    budget: Budget,
}

impl Adding<'_, '_, '_> {
    fn add(&mut self, route: RouteDraft) {
        let RouteDraft { serves, backend, backend_field, origin } = route;
        match &serves {
            Serves::Path(host, path) => self.add_rule(host, path, backend, backend_field, origin),
            Serves::Rest { .. } => self.add_rest(&serves, backend, backend_field, origin),
        }
    }

    fn add_rule(
        &mut self,
        host: &HostMatch,
        rule: &RulePath,
        backend: Reference,
        backend_field: String,
        origin: Origin,
    ) {
        let problems = &mut self.out.problems;
        let field = || format!("{}.path", origin.field);
        let mut tell = |fault| problems.add(ObjectRef::clone(&origin.object), field(), fault);
        let (path, facts) = match self.hosts.path(self.draft, host, rule, &mut self.budget, &mut tell) {
            Ok(matched) => matched,
            Err(fault) => return tell(fault),
        };
        let built = self.built(facts);
        self.tell_names(&path, &origin, facts);
        let namespace = &self.draft.object.namespace;
        let led = |before: Before<'_>| before.of_rule(namespace, &built.policy, host, &path);
        let target = self.place(backend, &built, led, &origin, backend_field);
        if let Some(bare) = self.hosts.bare(self.draft, host, rule) {
            let path = PathFacts { needs_slash: true, ..facts.path };
            let built = self.built(HostFacts { path, ..facts });
            self.out.builder.route(route_to(host.clone(), bare, target.clone(), &built, origin.clone()));
        }
        self.out.builder.route(route_to(host.clone(), path, target, &built, origin));
    }

    /// Adds what serves the requests that no rule is for.
    fn add_rest(&mut self, serves: &Serves, backend: Reference, backend_field: String, origin: Origin) {
        let problems = &mut self.out.problems;
        let tell = |fault| problems.add(ObjectRef::clone(&origin.object), &*origin.field, fault);
        let Matched { hosts, catch_all } = self.hosts.rest(self.draft, serves, tell);
        let facts = |host: &HostMatch| {
            let is_kept = !self.draft.asked.rewrite.changes("/");
            let path =
                PathFacts { is_kept, is_catch_all: self.draft.hosts.is_empty(), ..PathFacts::default() };
            HostFacts { path, ..self.hosts.of(host) }
        };
        let facts: Vec<HostFacts> = hosts.iter().map(facts).collect();
        let built = self.built(facts.first().copied().unwrap_or_default());
        let namespace = &self.draft.object.namespace;
        let led = |before: Before<'_>| before.of_default(namespace, &built.policy, &hosts);
        let target = self.place(backend, &built, led, &origin, backend_field);
        let path = PathMatch::Prefix("".into());
        for (host, facts) in hosts.into_iter().zip(facts) {
            let built = self.built(facts);
            let rest = route_to(host, path.clone(), target.clone(), &built, origin.clone());
            self.out.builder.default_for_host(rest);
        }
        if catch_all {
            self.out.builder.catch_all(route_to(HostMatch::Any, path, target, &built, origin));
        }
    }

    /// Adds what is done with the requests for a host that nothing serves: its settings hold for them too, and what goes through
    /// is answered 404.
    fn add_unserved(&mut self, host: HostMatch) {
        let path = PathFacts { is_kept: true, ..PathFacts::default() };
        let built = self.built(HostFacts { path, ..self.hosts.of(&host) });
        if built.policy.filters.is_some() {
            let path = PathMatch::Prefix("".into());
            let rest = route_to(host, path, Target::Nothing, &built, self.draft.origin("spec.rules"));
            self.out.builder.default_for_host(rest);
        }
    }

    /// Adds the hosts whose clients are sent elsewhere from the root.
    fn add_roots(&mut self) {
        let Some(policy) = policy::of_root(&self.draft.asked).map(Arc::new) else { return };
        for host in self.hosts.roots(self.draft) {
            let (host, path) = (host.clone(), PathMatch::Exact("/".into()));
            let (conditions, origin) = (Conditions::default(), self.draft.origin("metadata.annotations"));
            let (policy, target) = (Arc::clone(&policy), Target::Nothing);
            self.out.builder.route(Route { host, path, conditions, target, policy, origin });
        }
    }

    /// What applies where this is known; built once.
    fn built(&mut self, facts: HostFacts) -> Arc<Built> {
        if let Some(built) = self.built.get(&facts) {
            return Arc::clone(built);
        }
        let problems = &mut self.out.problems;
        let tell = |field, fault| problems.add(ObjectRef::clone(&self.draft.object), field, fault);
        let built = Arc::new(policy::build(&self.draft.asked, facts, tell));
        self.built.insert(facts, Arc::clone(&built));
        built
    }

    fn place(
        &mut self,
        backend: Reference,
        built: &Built,
        led: impl FnOnce(Before<'_>) -> Option<Led>,
        origin: &Origin,
        field: String,
    ) -> Target {
        let Output { builder, backends, problems } = self.out;
        let (backend, fault) = backends.place(backend.over(&built.transport), led, builder);
        if let Some(fault) = fault {
            problems.add(ObjectRef::clone(&origin.object), field, fault);
        }
        Target::Backend(backend)
    }

    /// Tells of names in the target that no group of the path has.
    fn tell_names(&mut self, path: &PathMatch, origin: &Origin, facts: HostFacts) {
        let rewrite = &self.draft.asked.rewrite;
        let templates =
            [&rewrite.path, &rewrite.prefix].into_iter().flatten().filter(|_| !facts.path.is_kept);
        let has = |name: &str| matches!(path, PathMatch::Pattern(pattern) if pattern.has_group(name));
        let names = templates.flat_map(|template| template.names().filter(|name| !has(name)));
        for name in names.collect::<BTreeSet<_>>() {
            let message =
                format!("no group of the path is called {name}: nothing stands for ${name} in the target");
            let remedy =
                "write $1 to $9, or a group (?<name>…) into the path; variables of nginx are not known";
            let fault = Fault::error(reasons::INVALID_ANNOTATION, message, remedy);
            self.out.problems.add(ObjectRef::clone(&origin.object), format!("{}.path", origin.field), fault);
        }
    }
}

fn route_to(host: HostMatch, path: PathMatch, target: Target, built: &Built, origin: Origin) -> Route {
    let (conditions, policy) = (Conditions::default(), Arc::clone(&built.policy));
    Route { host, path, conditions, target, policy, origin }
}
