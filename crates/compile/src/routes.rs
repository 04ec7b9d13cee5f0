//! Adds drafts of routes to the route table, whichever source they come from: builds what applies to them, looks for their
//! backends, and tells what is wrong with naming them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{AuthServer, Conditions, HostMatch, ObjectRef, PathMatch, Route, RouteTableBuilder, Target};

use crate::backend::{Backends, Before, Part};
use crate::canary::Canaries;
use crate::hosts::Hosts;
use crate::policy::{self, Built, RouteFacts, RouteSettings};
use crate::problems::Problems;
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
                self.add_route(route, &Built { policy, transport: Arc::default() });
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
        let RouteDraft { serves, written, backend, backend_field, origin, .. } = draft;
        let namespace = &*origin.object.namespace;
        let mut place = |reference: Reference, part, object: &ObjectRef, field: &str| {
            let led = |before: Before<'_>| match &serves {
                Serves::Path(host, path) => before.of_rule(namespace, &built.policy, (host, path), part),
                Serves::Rest { hosts, .. } => before.of_default(namespace, &built.policy, hosts, part),
            };
            let (place, fault) =
                self.backends.place(reference.over(&built.transport), led, &mut self.builder);
            if let Some(fault) = fault {
                self.problems.add(object.clone(), field, fault);
            }
            place
        };
        let primary = place(backend, Part::Primary, &origin.object, &backend_field);
        let canary = self.canaries.of(&written, namespace).map(|canary| {
            let backend = canary.backend.clone();
            (canary, place(backend, Part::Canary, &canary.origin.object, &canary.backend_field))
        });
        let target = match canary {
            Some((canary, backend)) => canary.split(primary, backend, &mut self.problems),
            None => Target::Backend(primary),
        };
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
}
