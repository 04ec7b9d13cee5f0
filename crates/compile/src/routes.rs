//! Adds drafts of routes to the route table, whichever source they come from: builds what applies to them, looks for their
//! backends, and tells what is wrong with naming them.

mod adding;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    AuthServer, BackendKey, Conditions, HostMatch, ObjectRef, Origin, PathMatch, Route, RouteTableBuilder,
    Target,
};

use self::adding::Adding;
use crate::backend::Backends;
use crate::canary::Canaries;
use crate::hosts::{Budget, Hosts};
use crate::policy::{PageBackends, RouteSettings};
use crate::problems::{Fault, Problems};
use crate::source::Draft;
use crate::{ObjectKey, Objects, Settings, auth, reasons};

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
    /// Adds what an object asks to have served. What applies to its routes differs at most from host to host, and by what is
    /// known of their paths, and is built once for all that are alike.
    pub(crate) fn add(&mut self, mut draft: Draft, hosts: &Hosts, general: Option<&BackendKey>) {
        hosts.tell(&draft, &mut self.problems);
        self.find_auth_server(&draft.object, &mut draft.asked);
        let pages = self.page_backends(&draft.asked, &draft.object, general);
        self.tell_passthrough(&draft);
        let unserved: Vec<HostMatch> = hosts.unserved(&draft).cloned().collect();
        let routes = std::mem::take(&mut draft.routes);
        let (built, budget) = (BTreeMap::new(), Budget::default());
        let mut adding = Adding { out: self, draft: &draft, hosts, pages, built, budget };
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

    /// Tells where TLS was to be passed through and no path stands for a whole host.
    fn tell_passthrough(&mut self, draft: &Draft) {
        let is_whole = draft.routes.iter().any(|route| route.serves.is_whole());
        let field =
            draft.asked.passthrough.as_ref().filter(|_| draft.asked.passthrough_is_allowed && !is_whole);
        if let Some(field) = field {
            let message = "TLS is not passed through: no path stands for a whole host";
            let fault =
                Fault::warning(reasons::NO_EFFECT, message, "add a rule with the path /, or remove it");
            self.problems.add(ObjectRef::clone(&draft.object), field.clone(), fault);
        }
    }

    /// The operator's backend for errors; it serves what nothing else does, too, unless an object does so itself.
    pub(crate) fn default_backend(&mut self, settings: &Settings, is_served: bool) -> Option<BackendKey> {
        let service = settings.default_backend.as_ref()?;
        let object = ObjectRef::new("Service", &service.namespace, &service.name);
        let Some(backend) = self.backends.place_service(service, &mut self.builder) else {
            let message = "is to serve what nothing else does, and does not exist or has no port";
            let remedy = "create it, or name another with --default-backend-service";
            self.problems.add(object, "", Fault::error(reasons::DANGLING_REFERENCE, message, remedy));
            return None;
        };
        if !is_served {
            let origin = Origin::new(object, "--default-backend-service");
            let (host, path) = (HostMatch::Any, PathMatch::Prefix("".into()));
            let (conditions, policy) = (Conditions::default(), Arc::default());
            let target = Target::Backend(backend);
            self.builder.catch_all(Route { host, path, conditions, target, policy, origin });
        }
        Some(self.builder.backend_at(backend).key.clone())
    }

    /// The backends that serve in the place of this object's endpoints.
    fn page_backends(
        &mut self,
        asked: &RouteSettings,
        object: &ObjectRef,
        general: Option<&BackendKey>,
    ) -> PageBackends {
        let own = asked.pages.default_backend.as_ref().and_then(|(name, field)| {
            let named = ObjectKey::new(&*object.namespace, name);
            let place = self.backends.place_service(&named, &mut self.builder);
            if place.is_none() {
                let message = format!("has {named} as default backend, which does not exist or has no port");
                let remedy = "create the Service in the Ingress' namespace or correct the name";
                let fault = Fault::warning(reasons::DANGLING_REFERENCE, message, remedy);
                self.problems.add(object.clone(), field, fault);
            }
            place.map(|place| self.builder.backend_at(place).key.clone())
        });
        PageBackends { own, general: general.cloned() }
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
