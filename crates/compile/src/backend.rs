//! The backends that routes lead to. Each is made once, however many routes lead to it, and made again when the
//! endpoints of its Service change.

mod make;
mod of_service;
mod spoken;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Backend, BackendKey, RouteTableBuilder, Unavailable};

use crate::problems::{Fault, Problems};
use crate::reference::{Port, Reference};
use crate::{ObjectKey, Objects, Settings};

use make::{Made, Maker};
pub(crate) use of_service::{Again, OfService};

/// Collects backends and what was wrong with those that routes were wrong to name.
pub(crate) struct Backends<'a> {
    maker: Maker<'a>,
    services: HashMap<ObjectKey, Service>,
    /// What is to be told of each route that leads to such a backend.
    faults: HashMap<BackendKey, Fault>,
    external_names: BTreeSet<String>,
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
}

impl<'a> Backends<'a> {
    pub(crate) fn new(objects: &'a Objects, settings: &'a Settings) -> Backends<'a> {
        let maker = Maker::new(objects, settings);
        let (services, faults) = (HashMap::new(), HashMap::new());
        Backends { maker, services, faults, external_names: BTreeSet::new() }
    }

    /// The place of the backend that is referred to, and what is wrong with referring to it. What is wrong with the
    /// Service itself or with its slices is told of them.
    pub(crate) fn place(
        &mut self,
        reference: Reference,
        builder: &mut RouteTableBuilder,
    ) -> (u32, Option<Fault>) {
        match reference {
            Reference::Refused(key, fault) => {
                let refused = || Backend::unavailable(key.clone(), Unavailable::Refused);
                (builder.backend(&key, refused), fault)
            }
            Reference::Port(key, port) => {
                let key = self.maker.named(key);
                let (Backends { maker, services, faults, external_names }, mut service) = (self, None);
                let place = builder.backend(&key, || {
                    let name = ObjectKey::new(&*key.namespace, &*key.service);
                    let service = service.insert(services.entry(name).or_default());
                    let Made { backend, fault, external_name } =
                        maker.make(&key, &port, &mut service.problems);
                    faults.extend(fault.map(|fault| (key.clone(), fault)));
                    external_names.extend(external_name);
                    backend
                });
                if let Some(service) = service {
                    service.ports.push((place, port));
                }
                (place, faults.get(&key).cloned())
            }
        }
    }

    pub(crate) fn finish(self) -> Collected {
        let finished = |(name, Service { ports, problems }): (ObjectKey, Service)| {
            (name, OfService { ports, problems: problems.finish() })
        };
        Collected {
            services: self.services.into_iter().map(finished).collect(),
            external_names: self.external_names,
        }
    }
}
