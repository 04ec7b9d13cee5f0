//! What comes first goes first: a change is held back for a moment where it would be live too early.
//!
//! Each kind of object is watched on a connection of its own, so their changes arrive in no order. Somebody who creates
//! a Service and then points an Ingress at it, or points the Ingress elsewhere and then deletes the Service, has done
//! nothing wrong; but for some milliseconds the index may know only the second half. So an Ingress waits until what it
//! names has been seen, and a Service, its slices and a class outlive their deletion a little. A Secret that nobody has
//! named before is asked for while its Ingress waits, so that the certificate is there when the route is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use compile::{ObjectKey, Settings};
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend};

use crate::index::{Id, Index, Kind, Object};

/// An Ingress waits no longer for what it names. A Service's first slice is made by a controller that needs a moment.
const INGRESS_WAIT_MAX: Duration = Duration::from_millis(500);

/// How much longer a Service, its slices or a class live. Watches of one API server are a few milliseconds apart; endpoints
/// that go while their Service stays are told by a changed slice, and that waits for nothing.
const OUTLIVES: Duration = Duration::from_millis(100);

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct Order {
    settings: Settings,
    ingresses: BTreeMap<ObjectKey, (Object, Instant)>,
    deletions: BTreeMap<Id, Instant>,
}

impl Order {
    /// Holds nothing back yet.
    pub(crate) fn new(settings: Settings) -> Order {
        Order { settings, ..Order::default() }
    }

    /// Applies the object, unless it has to wait.
    pub(crate) fn apply(&mut self, object: Object, index: &mut Index, now: Instant) {
        let id = object.id();
        self.deletions.remove(&id);
        if let Object::Ingress(ingress) = &object {
            let key = ObjectKey::new(&*id.namespace, &*id.name);
            if !self.names_only_known(ingress, &key, index) {
                // One that changes while it waits has waited from the first.
                let until = self.ingresses.get(&key).map_or(now + INGRESS_WAIT_MAX, |(_, until)| *until);
                self.ingresses.insert(key, (object, until));
                return;
            }
            self.ingresses.remove(&key);
        }
        index.apply(object, None);
    }

    /// Deletes the object, at once or a little later.
    pub(crate) fn delete(&mut self, id: Id, index: &mut Index, now: Instant) {
        if id.kind == Kind::Ingress {
            self.ingresses.remove(&id.key());
        }
        match id.kind {
            Kind::Service | Kind::EndpointSlice | Kind::IngressClass => {
                self.deletions.insert(id, now + OUTLIVES);
            }
            // What replaces it may be among those that wait.
            Kind::Ingress if !self.ingresses.is_empty() => drop(self.deletions.insert(id, now)),
            _ => index.delete(&id),
        }
    }

    /// Does what has waited long enough, or need not wait any more; returns whether there was anything.
    pub(crate) fn settle(&mut self, index: &mut Index, now: Instant) -> bool {
        let mut waiting = std::mem::take(&mut self.ingresses);
        let settled = |key: &ObjectKey, (object, until): &mut (Object, Instant)| {
            let Object::Ingress(ingress) = object else { return true };
            *until <= now || self.names_only_known(ingress, key, index)
        };
        let settled: Vec<_> = waiting.extract_if(.., settled).collect();
        self.ingresses = waiting;
        let mut any = !settled.is_empty();
        for (_, (object, _)) in settled {
            index.apply(object, None);
        }
        let longer = self.longer();
        for (id, _) in self.deletions.extract_if(.., |_, until| *until + longer <= now) {
            index.delete(&id);
            any = true;
        }
        any
    }

    /// While an Ingress waits, what it was before is live, and needs what is about to go.
    fn longer(&self) -> Duration {
        if self.ingresses.is_empty() { Duration::ZERO } else { INGRESS_WAIT_MAX }
    }

    /// When something will have waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        let longer = self.longer();
        let deletions = self.deletions.values().map(|until| *until + longer);
        self.ingresses.values().map(|(_, until)| *until).chain(deletions).min()
    }

    /// Whether any Ingress waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.ingresses.is_empty()
    }

    /// The DNS names that the Ingresses which wait will need.
    pub(crate) fn external_names(&self, index: &Index) -> BTreeSet<String> {
        let name = |key: &ObjectKey, backend: &IngressBackend| {
            let service = ObjectKey::new(&*key.namespace, &*backend.service.as_ref()?.name);
            compile::external_name_of(index.objects().services.get(&service)?)
        };
        let waiting = self.waiting();
        waiting
            .flat_map(|(key, ingress)| backends(ingress).filter_map(move |backend| name(key, backend)))
            .collect()
    }

    /// The Secrets that the Ingresses which wait will need.
    pub(crate) fn secrets(&self, index: &Index) -> BTreeSet<ObjectKey> {
        self.waiting().flat_map(|(key, ingress)| self.secrets_of(key, ingress, index)).collect()
    }

    fn waiting(&self) -> impl Iterator<Item = (&ObjectKey, &Ingress)> {
        self.ingresses.iter().filter_map(|(key, (object, _))| match object {
            Object::Ingress(ingress) => Some((key, &**ingress)),
            _ => None,
        })
    }

    /// The Secrets that the Ingress names, if it is ours: those of others are none of our business.
    fn secrets_of(&self, key: &ObjectKey, ingress: &Ingress, index: &Index) -> BTreeSet<ObjectKey> {
        let named = compile::secrets_of(key, ingress);
        let is_ours = !named.is_empty() && compile::is_ours(key, ingress, index.objects(), &self.settings);
        if is_ours { named } else { BTreeSet::new() }
    }

    /// Whether all that the Ingress names has been seen.
    fn names_only_known(&self, ingress: &Ingress, key: &ObjectKey, index: &Index) -> bool {
        let class = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_ref());
        let classes = &index.objects().ingress_classes;
        class.is_none_or(|class| *class == self.settings.class || classes.contains_key(class))
            && backends(ingress).all(|backend| is_known(backend, &key.namespace, index))
            && self.secrets_of(key, ingress, index).iter().all(|secret| index.has_heard_of_secret(secret))
    }
}

fn backends(ingress: &Ingress) -> impl Iterator<Item = &IngressBackend> {
    let spec = ingress.spec.iter();
    spec.flat_map(|spec| {
        let rules = spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref());
        rules.flat_map(|http| &http.paths).map(|path| &path.backend).chain(&spec.default_backend)
    })
}

/// Whether the Service has been seen, and a slice of it, or the addresses of the name that it stands for.
fn is_known(backend: &IngressBackend, namespace: &str, index: &Index) -> bool {
    let Some(service) = &backend.service else { return true };
    let objects = index.objects();
    let Some(found) = objects.services.get(&ObjectKey::new(namespace, &*service.name)) else { return false };
    match compile::external_name_of(found) {
        Some(name) => objects.resolved.contains_key(&name),
        None => objects.endpoint_slices.of(namespace, &service.name).next().is_some(),
    }
}

#[cfg(test)]
mod tests;
