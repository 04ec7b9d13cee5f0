//! The backends that routes lead to. Each is made once, however many routes lead to it, and made again when the
//! endpoints of its Service change.

mod before;
mod make;
mod of_service;
mod port;
mod spoken;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Backend, BackendKey, RouteTableBuilder, Selection, Unavailable};

use crate::problems::{Fault, Problems};
use crate::reference::{Port, Reference};
use crate::{ObjectKey, Objects, Settings};

pub(crate) use before::{Before, Led, Part};
use make::Maker;
pub(crate) use of_service::{Again, OfService};

/// Collects backends and what was wrong with those that routes were wrong to name.
pub(crate) struct Backends<'a> {
    maker: Maker<'a>,
    before: Option<Before<'a>>,
    services: HashMap<ObjectKey, Service>,
    /// What is to be told of each route that leads to such a backend.
    faults: HashMap<BackendKey, Fault>,
    external_names: BTreeSet<String>,
    pending: BTreeSet<BackendKey>,
    /// Whether a backend of before could serve in the place of another.
    instead: HashMap<BackendKey, bool>,
    secrets: BTreeSet<ObjectKey>,
}

/// What is collected of one Service.
#[derive(Default)]
struct Service {
    ports: Vec<(u32, Port)>,
    problems: Problems,
}

/// What was collected.
pub(crate) struct Collected {
    /// All that is needed to make the backends of a Service again.
    pub(crate) services: BTreeMap<ObjectKey, OfService>,
    /// The DNS names of all ExternalName Services that a backend was made of.
    pub(crate) external_names: BTreeSet<String>,
    /// The backends in whose place endpoints of before serve.
    pub(crate) pending: BTreeSet<BackendKey>,
    /// The Secrets for handshakes with endpoints that routes of before still need.
    pub(crate) secrets: BTreeSet<ObjectKey>,
}

impl<'a> Backends<'a> {
    pub(crate) fn new(
        before: Option<Before<'a>>,
        objects: &'a Objects,
        settings: &'a Settings,
    ) -> Backends<'a> {
        let maker = Maker::new(objects, settings);
        let (services, faults, external_names) = (HashMap::new(), HashMap::new(), BTreeSet::new());
        let (pending, instead, secrets) = (BTreeSet::new(), HashMap::new(), BTreeSet::new());
        Backends { maker, before, services, faults, external_names, pending, instead, secrets }
    }

    /// The place of the backend that is referred to, or of what `led` says that the route led to before if that serves in
    /// its place; and what is wrong with the reference. What is wrong with the Service itself or with its slices is told
    /// of them.
    pub(crate) fn place(
        &mut self,
        reference: Reference,
        led: impl FnOnce(Before<'a>) -> Option<Led>,
        builder: &mut RouteTableBuilder,
    ) -> (u32, Option<Fault>) {
        match reference {
            Reference::Refused(key, fault) => {
                let refused = || Backend::unavailable(key.clone(), Unavailable::Refused);
                (builder.backend(&key, refused), Some(fault))
            }
            Reference::Port(key, port) => {
                let key = self.maker.named(key);
                let place = self.make(&key, &port, builder);
                let instead = self.instead_of(&key, place, led, builder);
                instead.unwrap_or_else(|| (place, self.faults.get(&key).cloned()))
            }
        }
    }

    /// The place of the backend of a Service's first port, if there is such a port.
    pub(crate) fn place_service(
        &mut self,
        service: &ObjectKey,
        builder: &mut RouteTableBuilder,
    ) -> Option<u32> {
        let (key, port) = self.maker.first_port(service)?;
        Some(self.make(&key, &port, builder))
    }

    /// Makes the backend, unless that is done; returns its place.
    fn make(&mut self, key: &BackendKey, port: &Port, builder: &mut RouteTableBuilder) -> u32 {
        let (Backends { maker, before, services, faults, external_names, pending, .. }, mut service) =
            (self, None);
        let place = builder.backend(key, || {
            let name = ObjectKey::new(&*key.namespace, &*key.service);
            let service = service.insert(services.entry(name).or_default());
            let before = before.and_then(|before| before.backend(key));
            let made = maker.make(key, port, before, &mut service.problems);
            faults.extend(made.fault.map(|fault| (key.clone(), fault)));
            external_names.extend(made.external_names);
            pending.extend(made.is_pending.then(|| key.clone()));
            made.backend
        });
        if let Some(service) = service {
            service.ports.push((place, port.clone()));
        }
        place
    }

    /// Where a route leads while this backend in this place cannot serve, and what to tell of it.
    fn instead_of(
        &mut self,
        key: &BackendKey,
        place: u32,
        led: impl FnOnce(Before<'a>) -> Option<Led>,
        builder: &mut RouteTableBuilder,
    ) -> Option<(u32, Option<Fault>)> {
        let before = self.before.filter(|before| before.may_wait_for(key))?;
        let Selection::None(why) = builder.backend_at(place).selection() else { return None };
        let may_serve = |old: &BackendKey| {
            why != Unavailable::Refused && old != key && before::is_verified_alike(old, key)
        };
        let (old, port) = led(before).filter(|(old, _)| may_serve(old))?;
        // Many routes may lead to the same one, which may be large.
        let maker = self.maker;
        let takes_requests = self.instead.entry(old.clone()).or_insert_with(|| {
            let made = maker.make(&old, &port, before.backend(&old), &mut Problems::default());
            !made.backend.usable().is_empty()
        });
        if !*takes_requests {
            return None;
        }
        self.pending.insert(key.clone());
        let secret = old.transport.tls.secret.as_deref();
        self.secrets.extend(secret.map(|secret| ObjectKey::new(&*old.namespace, secret)));
        let (message, remedy) = match self.faults.get(key) {
            Some(fault) => (fault.message.clone(), fault.remedy.clone()),
            None => (format!("routes to {key}, which has no endpoint that takes requests"), String::new()),
        };
        let fault = self.maker.pending(&message, &format!("{old} serves in its place"), remedy);
        Some((self.make(&old, &port, builder), Some(fault)))
    }

    pub(crate) fn finish(self) -> Collected {
        let finished = |(name, Service { ports, problems }): (ObjectKey, Service)| {
            (name, OfService { ports, problems: problems.finish() })
        };
        Collected {
            services: self.services.into_iter().map(finished).collect(),
            external_names: self.external_names,
            pending: self.pending,
            secrets: self.secrets,
        }
    }
}
