//! What comes of the objects, and how it is kept up to date while only endpoints change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{BackendKey, Problem, RouteTable};

use crate::backend::{Again, Before, OfService};
use crate::{CertificateClaims, NoRoutes, ObjectKey, Objects, ServedHost, Settings};

/// What came of the objects.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The routes and backends.
    pub table: RouteTable,
    /// What is wrong with the objects, sorted, each once. A clone that is kept tells by its pointer whether anything
    /// has changed.
    pub problems: Arc<Vec<Problem>>,
    /// Why there is no route; `None` while there is one.
    pub no_routes: Option<NoRoutes>,
    /// Which Secrets each host's certificate may come from.
    pub certificates: CertificateClaims,
    /// The DNS names of the ExternalName Services that routes use, in the form [`Objects::resolved`] has.
    pub external_names: BTreeSet<String>,
    /// The backends that cannot serve yet, and in whose place endpoints of before do. The caller lets each be for
    /// [so long](Settings::reference_timeout), and then compiles [again](Compiled::compile_again).
    pub pending: BTreeSet<BackendKey>,
    /// The Ingresses of our class, sorted; those that are refused too.
    pub ours: Vec<ObjectKey>,
    /// The hosts of the routes, sorted, each with where its clients come from.
    pub hosts: Arc<Vec<ServedHost>>,
    /// The Secrets that our Ingresses and the settings name, whether they exist or not.
    pub secrets: BTreeSet<ObjectKey>,
    /// The ConfigMaps that our Ingresses and the one of the settings name, whether they exist or not.
    pub config_maps: BTreeSet<ObjectKey>,
    /// The Services that routes name, those that do not exist too.
    pub(crate) services: BTreeMap<ObjectKey, OfService>,
}

impl Compiled {
    /// Compiles anew after a change, with this value as what was live before it. Of the backends in `over` nothing of
    /// before goes on.
    #[must_use]
    pub fn compile_again(
        &self,
        objects: &Objects,
        settings: &Settings,
        generation: u64,
        over: &BTreeSet<BackendKey>,
    ) -> Compiled {
        let before = (!settings.reference_timeout.is_zero()).then(|| Before::new(self, over));
        crate::compile_after(before, objects, settings, generation)
    }

    /// Whether any of these Services has a backend that is pending.
    pub fn is_pending(&self, services: &BTreeSet<ObjectKey>) -> bool {
        self.pending.iter().any(|key| services.contains(&ObjectKey::new(&*key.namespace, &*key.service)))
    }

    /// Makes the backends of these Services again. Afterwards all is as [`compile_again`](Compiled::compile_again) would
    /// have it with this generation, unless nothing differs: then nothing is touched, not even the generation, and the
    /// answer is false. A backend that does not differ stays the same `Arc`.
    ///
    /// The settings must be the same as before, none of the Services may be [pending](Compiled::is_pending), and since
    /// this value was compiled or last updated nothing may have changed but EndpointSlices of these Services (of both
    /// Services where a slice moved from one to the other) and what [`Objects::resolved`] says of their
    /// [names](crate::external_name_of). After any other change compile.
    pub fn update_backends(
        &mut self,
        objects: &Objects,
        settings: &Settings,
        services: &BTreeSet<ObjectKey>,
        generation: u64,
    ) -> bool {
        let (mut backends, mut gone, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for service in services {
            let Some(service) = self.services.get_mut(service) else { continue };
            let Again { backends: others, problems, pending } =
                service.make_again(objects, settings, &self.table);
            backends.extend(others);
            self.pending.extend(pending);
            if problems != service.problems {
                new.extend(problems.iter().cloned());
                gone.append(&mut std::mem::replace(&mut service.problems, problems));
            }
        }
        gone.sort();
        new.sort();
        if backends.is_empty() && gone == new {
            return false;
        }
        self.table = self.table.with_backends(generation, backends);
        if gone != new {
            let problems = Arc::make_mut(&mut self.problems);
            problems.retain(|problem| gone.binary_search(problem).is_err());
            problems.append(&mut new);
            problems.sort();
        }
        true
    }
}

/// The problems of Ingresses, which are told of no other kind, with those of each Service and its slices.
pub(crate) fn join(
    of_ingresses: Vec<Problem>,
    services: &BTreeMap<ObjectKey, OfService>,
) -> Arc<Vec<Problem>> {
    let mut problems = of_ingresses;
    problems.extend(services.values().flat_map(|service| &service.problems).cloned());
    problems.sort();
    Arc::new(problems)
}
