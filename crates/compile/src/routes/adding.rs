//! One draft on its way into the route table: what applies to each of its routes, and where each leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Conditions, HostMatch, ObjectRef, Origin, PathMatch, RequestCondition, Route, Share, Split, SplitRule,
    Target, Transport,
};

use super::Output;
use crate::backend::{Before, Led, Part};
use crate::canary::Canary;
use crate::hosts::{Budget, Hosts, Matched, PathFacts};
use crate::policy::{self, Built, PageBackends, RouteFacts};
use crate::problems::Fault;
use crate::reasons;
use crate::reference::Reference;
use crate::source::{Draft, RouteDraft, RulePath, Serves};

/// A draft on its way into the table.
pub(super) struct Adding<'o, 'a, 'd> {
    pub(super) out: &'o mut Output<'a>,
    pub(super) draft: &'d Draft,
    pub(super) hosts: &'d Hosts,
    pub(super) pages: PageBackends,
    pub(super) built: BTreeMap<RouteFacts<'d>, Arc<Built>>,
    pub(super) budget: Budget,
}

impl<'d> Adding<'_, '_, 'd> {
    pub(super) fn add(&mut self, mut route: RouteDraft) {
        if let Some(redirect) = route.redirect.take() {
            let policy = Arc::new(policy::build_redirect(redirect));
            return self.add_rest(
                route,
                Some(Arc::new(Built { policy, transport: Arc::default(), transport_of_secure: None })),
            );
        }
        match route.serves.clone() {
            Serves::Path(host, path) => self.add_rule(&host, &path, route),
            Serves::Rest { .. } => self.add_rest(route, None),
        }
    }

    fn add_rule(&mut self, host: &HostMatch, rule: &RulePath, route: RouteDraft) {
        let (problems, field) = (&mut self.out.problems, format!("{}.path", route.origin.field));
        let mut tell = |fault| problems.add(ObjectRef::clone(&self.draft.object), &*field, fault);
        let (path, known) = match self.hosts.path(self.draft, host, rule, &mut self.budget, &mut tell) {
            Ok(matched) => matched,
            Err(fault) => return tell(fault),
        };
        let facts = self.facts(host, &route.serves, known);
        let built = self.built(facts);
        self.tell_names(&path, &field, known);
        self.tell_cookie(&path, &field, &built);
        let namespace = &*self.draft.object.namespace;
        let led = |before: Before<'_>, part| before.of_rule(namespace, &built.policy, (host, &path), part);
        let target = self.target(&route, &built, led);
        let origin = route.origin;
        if let Some(bare) = self.hosts.bare(self.draft, host, rule) {
            let path = PathFacts { needs_slash: true, ..known };
            let built = self.built(RouteFacts { path, ..facts });
            self.out.builder.route(route_to(host.clone(), bare, target.clone(), &built, origin.clone()));
        }
        self.out.builder.route(route_to(host.clone(), path, target, &built, origin));
    }

    /// Adds what serves the requests that no rule is for; with what applies to it, where that is not what the object asks for.
    fn add_rest(&mut self, route: RouteDraft, other: Option<Arc<Built>>) {
        let (problems, field) = (&mut self.out.problems, &*route.origin.field);
        let tell = |fault| problems.add(ObjectRef::clone(&self.draft.object), field, fault);
        let Matched { hosts, catch_all } = match (&other, &route.serves) {
            (Some(_), Serves::Rest { hosts, .. }) => Matched { hosts: hosts.clone(), catch_all: false },
            _ => self.hosts.rest(self.draft, &route.serves, tell),
        };
        let known = PathFacts { is_kept: !self.draft.asked.rewrite.changes("/"), ..PathFacts::default() };
        let serves = &route.serves;
        let mut built = |host: &HostMatch| {
            let facts = self.facts(host, serves, known);
            other.clone().unwrap_or_else(|| self.built(facts))
        };
        let by_host: Vec<Arc<Built>> = hosts.iter().map(&mut built).collect();
        let built = by_host.first().cloned().unwrap_or_else(|| built(&HostMatch::Any));
        let namespace = &*self.draft.object.namespace;
        let led = |before: Before<'_>, part| before.of_default(namespace, &built.policy, &hosts, part);
        let target = self.target(&route, &built, led);
        let path = PathMatch::Prefix("".into());
        for (host, built) in hosts.into_iter().zip(by_host) {
            let rest = route_to(host, path.clone(), target.clone(), &built, route.origin.clone());
            self.out.builder.default_for_host(rest);
        }
        if catch_all {
            self.out.builder.catch_all(route_to(HostMatch::Any, path, target, &built, route.origin));
        }
    }

    /// Adds what is done with the requests for a host that nothing serves: its settings hold for them too, and what goes through
    /// is answered 404.
    pub(super) fn add_unserved(&mut self, host: HostMatch) {
        let known = PathFacts { is_kept: true, ..PathFacts::default() };
        let rest = Serves::Rest { hosts: Vec::new(), catch_all: false };
        let built = self.built(self.facts(&host, &rest, known));
        if built.policy.filters.is_some() {
            let path = PathMatch::Prefix("".into());
            let rest = route_to(host, path, Target::Nothing, &built, self.draft.origin("spec.rules"));
            self.out.builder.default_for_host(rest);
        }
    }

    /// Adds the hosts whose clients are sent elsewhere from the root.
    pub(super) fn add_roots(&mut self) {
        for host in self.hosts.roots(self.draft) {
            let Some(policy) = policy::of_root(&self.draft.asked, self.hosts.of(host)) else { return };
            let (host, path, target) = (host.clone(), PathMatch::Exact("/".into()), Target::Nothing);
            let (conditions, policy) = (Conditions::default(), Arc::new(policy));
            let origin = self.draft.origin("metadata.annotations");
            self.out.builder.route(Route { host, path, conditions, target, policy, origin });
        }
    }

    fn facts(&self, host: &HostMatch, serves: &Serves, path: PathFacts) -> RouteFacts<'d> {
        RouteFacts {
            host: self.hosts.of(host),
            keeps_http: self.draft.asked.redirect.keeps_http(serves),
            is_catch_all: matches!(serves, Serves::Rest { catch_all: true, .. }),
            is_open: serves.path().is_some_and(|path| self.draft.asked.auth.is_open(&path.written)),
            path,
        }
    }

    /// What applies where this is known; built once.
    fn built(&mut self, facts: RouteFacts<'d>) -> Arc<Built> {
        if let Some(built) = self.built.get(&facts) {
            return Arc::clone(built);
        }
        let problems = &mut self.out.problems;
        let tell = |field, fault| problems.add(ObjectRef::clone(&self.draft.object), field, fault);
        let built = Arc::new(policy::build(&self.draft.asked, facts, &self.pages, tell));
        self.built.insert(facts, Arc::clone(&built));
        built
    }

    /// What the route leads to, and what a canary splits off from it.
    fn target(
        &mut self,
        route: &RouteDraft,
        built: &Built,
        led: impl Fn(Before<'_>, Part) -> Option<Led>,
    ) -> Target {
        let Output { builder, backends, canaries, problems, .. } = &mut *self.out;
        let mut place =
            |reference: &Reference, over: &Arc<Transport>, part, object: &ObjectRef, field: &str| {
                let reference = reference.clone().over(over);
                let (place, fault) = backends.place(reference, |before| led(before, part), builder);
                if let Some(fault) = fault {
                    problems.add(object.clone(), field, fault);
                }
                place
            };
        let object = &self.draft.object;
        let RouteDraft { backend, backend_field, .. } = route;
        let primary = place(backend, &built.transport, Part::Primary, object, backend_field);
        if let Some(canary) = canaries.of(&route.written, &object.namespace) {
            let Canary { backend, backend_field, origin, .. } = canary;
            let backend = place(backend, &built.transport, Part::Canary, &origin.object, backend_field);
            if built.transport_of_secure.is_some() {
                problems.add(ObjectRef::clone(object), &*route.origin.field, no_choice());
            }
            return canary.split(primary, backend, problems);
        }
        let Some(over) = &built.transport_of_secure else { return Target::Backend(primary) };
        let of_secure = place(backend, over, Part::Primary, object, backend_field);
        let rule = SplitRule { condition: RequestCondition::Secure, backend: of_secure };
        let split = Split::new(vec![rule], vec![Share { backend: primary, weight: 1 }]);
        split.map_or(Target::Backend(primary), |split| Target::Split(Box::new(split)))
    }

    /// Tells of a cookie whose path is to be a pattern.
    fn tell_cookie(&mut self, path: &PathMatch, field: &str, built: &Built) {
        if let (PathMatch::Pattern(pattern), true) = (path, policy::names_no_cookie_path(&built.policy)) {
            let fault = policy::cookie_of_pattern(pattern.as_str());
            self.out.problems.add(ObjectRef::clone(&self.draft.object), field, fault);
        }
    }

    /// Tells of names in the target that no group of the path has.
    fn tell_names(&mut self, path: &PathMatch, field: &str, known: PathFacts) {
        let rewrite = &self.draft.asked.rewrite;
        let templates = [&rewrite.path, &rewrite.prefix].into_iter().flatten().filter(|_| !known.is_kept);
        let has = |name: &str| matches!(path, PathMatch::Pattern(pattern) if pattern.has_group(name));
        let names = templates.flat_map(|template| template.names().filter(|name| !has(name)));
        for name in names.collect::<BTreeSet<_>>() {
            let message =
                format!("no group of the path is called {name}: nothing stands for ${name} in the target");
            let remedy =
                "write $1 to $9, or a group (?<name>…) into the path; variables of nginx are not known";
            let fault = Fault::error(reasons::INVALID_ANNOTATION, message, remedy);
            self.out.problems.add(ObjectRef::clone(&self.draft.object), field, fault);
        }
    }
}

fn route_to(host: HostMatch, path: PathMatch, target: Target, built: &Built, origin: Origin) -> Route {
    let (conditions, policy) = (Conditions::default(), Arc::clone(&built.policy));
    Route { host, path, conditions, target, policy, origin }
}

/// Where what is spoken was to follow the client.
fn no_choice() -> Fault {
    let message = "has a canary, so http is spoken with all endpoints, whatever clients speak";
    Fault::warning(reasons::NO_EFFECT, message, "let the backend protocol be http or https")
}
