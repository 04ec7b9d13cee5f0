//! What comes first goes first: a change is held back for a moment where it would be live too early.
//!
//! Each kind of object is watched on a connection of its own, so their changes arrive in no order. Somebody who creates
//! a Service and then points an Ingress at it, or points the Ingress elsewhere and then deletes the Service, has done
//! nothing wrong; but for some milliseconds the index may know only the second half. So an Ingress waits until what it
//! names has been seen, and a Service and its slices outlive their deletion a little.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use compile::ObjectKey;
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend};

use crate::index::{Id, Index, Kind, Object};

/// An Ingress waits no longer for what it names. A Service's first slice is made by a controller that needs a moment.
const INGRESS_WAIT_MAX: Duration = Duration::from_millis(500);

/// How much longer a Service and its slices live. Watches of one API server are a few milliseconds apart; endpoints
/// that go while their Service stays are told by a changed slice, and that waits for nothing.
const OUTLIVES: Duration = Duration::from_millis(100);

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct Order {
    ingresses: BTreeMap<ObjectKey, (Object, Instant)>,
    deletions: BTreeMap<Id, Instant>,
}

impl Order {
    /// Applies the object, unless it has to wait.
    pub(crate) fn apply(&mut self, object: Object, index: &mut Index, now: Instant) {
        let id = object.id();
        self.deletions.remove(&id);
        if let Object::Ingress(ingress) = &object {
            let key = ObjectKey::new(&*id.namespace, &*id.name);
            if !names_only_known(ingress, &key.namespace, index) {
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
        match id.kind {
            Kind::Service | Kind::EndpointSlice => {
                self.deletions.insert(id, now + OUTLIVES);
            }
            _ => {
                self.ingresses.remove(&ObjectKey::new(&*id.namespace, &*id.name));
                index.delete(&id);
            }
        }
    }

    /// Does what has waited long enough, or need not wait any more; returns whether there was anything.
    pub(crate) fn settle(&mut self, index: &mut Index, now: Instant) -> bool {
        let before = self.deletions.len();
        self.deletions.retain(|id, until| {
            let wait = *until > now;
            if !wait {
                index.delete(id);
            }
            wait
        });
        let settled = |key: &ObjectKey, (object, until): &mut (Object, Instant)| {
            let Object::Ingress(ingress) = object else { return true };
            *until <= now || names_only_known(ingress, &key.namespace, index)
        };
        let settled: Vec<_> = self.ingresses.extract_if(.., settled).collect();
        let any = self.deletions.len() < before || !settled.is_empty();
        for (_, (object, _)) in settled {
            index.apply(object, None);
        }
        any
    }

    /// When something will have waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.ingresses.values().map(|(_, until)| until).chain(self.deletions.values()).min().copied()
    }
}

/// Whether each Service that the Ingress names has been seen, and has endpoints or needs none.
fn names_only_known(ingress: &Ingress, namespace: &str, index: &Index) -> bool {
    let Some(spec) = &ingress.spec else { return true };
    let paths =
        spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
    let mut backends = paths.map(|path| &path.backend).chain(&spec.default_backend);
    backends.all(|backend| is_known(backend, namespace, index))
}

fn is_known(backend: &IngressBackend, namespace: &str, index: &Index) -> bool {
    let Some(service) = &backend.service else { return true };
    let objects = index.objects();
    let Some(found) = objects.services.get(&ObjectKey::new(namespace, &*service.name)) else { return false };
    compile::external_name_of(found).is_some()
        || objects.endpoint_slices.of(namespace, &service.name).next().is_some()
}
