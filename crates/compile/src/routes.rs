//! Adds drafts of routes to the route table, whichever source they come from: builds what applies to them, looks for their
//! backends, and tells what is wrong with naming them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    AuthServer, Conditions, HostMatch, ObjectRef, PathMatch, RequestCondition, Route, RouteTableBuilder,
    Share, Split, SplitRule, Target, Transport,
};

use crate::backend::{Backends, Before, Part};
use crate::canary::{Canaries, Canary};
use crate::hosts::Hosts;
use crate::policy::{self, Built, RouteFacts, RouteSettings};
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::reference::Reference;
use crate::source::{Draft, RouteDraft, Serves};
use crate::{Objects, auth};

/// Where routes, backends and problems go.
pub(crate) struct Output<'a> {
    pub(crate) builder: RouteTableBuilder,
    pub(crate) backends: Backends<'a>,
    /// What is split off from routes.
    pub(crate) canaries: Canaries,
    pub(crate) problems: Problems,
    pub(crate) objects: &'a Objects,
}

impl Output<'_> {
    /// Adds what an object asks to have served. What applies to its routes differs at most from host to host, and is built
    /// once for all that are alike.
    pub(crate) fn add(&mut self, draft: Draft, hosts: &Hosts) {
        hosts.tell(&draft, &mut self.problems);
        let Draft { object, mut asked, hosts: named, routes, .. } = draft;
        self.find_auth_server(&object, &mut asked);
        if let Some(field) =
            asked.passthrough.as_ref().filter(|_| !routes.iter().any(|it| it.serves.is_whole()))
            && asked.passthrough_is_allowed
        {
            let message = "TLS is not passed through: no path stands for a whole host";
            let fault =
                Fault::warning(reasons::NO_EFFECT, message, "add a rule with the path /, or remove it");
            self.problems.add(ObjectRef::clone(&object), field.clone(), fault);
        }
        let mut built = BTreeMap::new();
        for route in routes.into_iter().flat_map(RouteDraft::by_host) {
            let facts = RouteFacts {
                host: hosts.of(route.serves.host().unwrap_or(&HostMatch::Any)),
                keeps_http: asked.redirect.keeps_http(&route.serves),
                is_catch_all: matches!(route.serves, Serves::Rest { catch_all: true, .. }),
                is_open: route.serves.path().is_some_and(|path| asked.auth.is_open(path.as_str())),
            };
            if let Some(redirect) = route.redirect.clone() {
                let policy = Arc::new(policy::build_redirect(redirect));
                self.add_route(
                    route,
                    &Built { policy, transport: Arc::default(), transport_of_secure: None },
                );
                continue;
            }
            let built = built.entry(facts).or_insert_with(|| {
                policy::build(&asked, facts, |field, fault| {
                    self.problems.add(ObjectRef::clone(&object), field, fault);
                })
            });
            self.add_route(route, built);
        }
        for host in named {
            self.builder.claim(host);
        }
    }

    /// Looks for the server that is asked about the object's requests.
    fn find_auth_server(&mut self, object: &Arc<ObjectRef>, asked: &mut RouteSettings) {
        asked.auth.complete();
        let Some((url, field)) = &asked.auth.external.url else { return };
        asked.auth.external.server = Some(match auth::server(url, self.objects) {
            None => AuthServer::OwnHost,
            Some(reference) => {
                let (place, fault) = self.backends.place(reference, |_| None, &mut self.builder);
                if let Some(fault) = fault {
                    self.problems.add(ObjectRef::clone(object), field, fault);
                }
                AuthServer::Backend(self.builder.backend_at(place).key.clone())
            }
        });
    }

    fn add_route(&mut self, draft: RouteDraft, built: &Built) {
        let target = self.target(&draft, built);
        let RouteDraft { serves, origin, .. } = draft;
        if let (Serves::Path(_, PathMatch::Pattern(pattern)), true) =
            (&serves, policy::names_no_cookie_path(&built.policy))
        {
            let fault = policy::cookie_of_pattern(pattern.as_str());
            self.problems.add(ObjectRef::clone(&origin.object), &*origin.field, fault);
        }
        let (conditions, policy) = (Conditions::default(), Arc::clone(&built.policy));
        match serves {
            Serves::Path(host, path) => {
                self.builder.route(Route { host, path, conditions, target, policy, origin });
            }
            Serves::Rest { hosts, catch_all } => {
                let path = PathMatch::Prefix("".into());
                let rest = Route { host: HostMatch::Any, path, conditions, target, policy, origin };
                for host in hosts {
                    self.builder.default_for_host(Route { host, ..rest.clone() });
                }
                if catch_all {
                    self.builder.catch_all(rest);
                }
            }
        }
    }
    /// Where a route leads: to its backend, to that or a canary, or to that in one of two ways, as the client's is.
    fn target(&mut self, draft: &RouteDraft, built: &Built) -> Target {
        let RouteDraft { serves, written, backend, backend_field, origin, .. } = draft;
        let namespace = &*origin.object.namespace;
        let mut place =
            |reference: &Reference, over: &Arc<Transport>, part, object: &ObjectRef, field: &str| {
                let led = |before: Before<'_>| match serves {
                    Serves::Path(host, path) => before.of_rule(namespace, &built.policy, (host, path), part),
                    Serves::Rest { hosts, .. } => before.of_default(namespace, &built.policy, hosts, part),
                };
                let (place, fault) =
                    self.backends.place(reference.clone().over(over), led, &mut self.builder);
                if let Some(fault) = fault {
                    self.problems.add(object.clone(), field, fault);
                }
                place
            };
        let primary = place(backend, &built.transport, Part::Primary, &origin.object, backend_field);
        if let Some(canary) = self.canaries.of(written, namespace) {
            let Canary { backend, backend_field, origin, .. } = canary;
            let backend = place(backend, &built.transport, Part::Canary, &origin.object, backend_field);
            if built.transport_of_secure.is_some() {
                self.problems.add(ObjectRef::clone(&draft.origin.object), &*draft.origin.field, no_choice());
            }
            return canary.split(primary, backend, &mut self.problems);
        }
        let Some(over) = &built.transport_of_secure else { return Target::Backend(primary) };
        let of_secure = place(backend, over, Part::Primary, &origin.object, backend_field);
        let rule = SplitRule { condition: RequestCondition::Secure, backend: of_secure };
        let split = Split::new(vec![rule], vec![Share { backend: primary, weight: 1 }]);
        split.map_or(Target::Backend(primary), |split| Target::Split(Box::new(split)))
    }
}

/// Where what is spoken was to follow the client.
fn no_choice() -> Fault {
    let message = "has a canary, so http is spoken with all endpoints, whatever clients speak";
    Fault::warning(reasons::NO_EFFECT, message, "let the backend protocol be http or https")
}
