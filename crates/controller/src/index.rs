//! The index: the last known object of each name, where it was read, and what has changed since the last compile.
//!
//! Every source feeds it through [`Index::apply`] and [`Index::delete`], a folder of manifests and a cluster's
//! watchers alike. It judges nothing: what an object means is [`compile`]'s.

mod object;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use compile::{ObjectKey, Objects};
use k8s_openapi::Metadata;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use model::ObjectRef;

pub(crate) use object::{Id, Kind, Object};

use crate::report::SeenStatus;

/// What has to be compiled anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dirty {
    /// Anything may have changed.
    pub(crate) all: bool,
    /// Only the endpoints of these Services have, unless `all`.
    pub(crate) services: BTreeSet<ObjectKey>,
}

impl Dirty {
    /// Whether nothing has changed.
    pub(crate) fn is_clean(&self) -> bool {
        !self.all && self.services.is_empty()
    }
}

/// The last known objects.
#[derive(Debug, Default)]
pub(crate) struct Index {
    objects: Objects,
    files: BTreeMap<Id, Arc<str>>,
    /// Kept apart: no route depends on an Ingress' status, and we write it ourselves.
    statuses: Arc<BTreeMap<ObjectKey, Arc<SeenStatus>>>,
    /// The Secrets about which anything was heard, where they are asked for by name.
    heard_of: Option<BTreeSet<ObjectKey>>,
    dirty: Dirty,
}

impl Index {
    /// Takes an object as it is now; `file` is where it was read, if from a file.
    pub(crate) fn apply(&mut self, object: Object, file: Option<&Arc<str>>) {
        let id = object.id();
        let (key, objects) = (id.key(), &mut self.objects);
        let changed = match object {
            Object::Ingress(new) => {
                let new = take_status(new, &key, &mut self.statuses);
                put(&mut objects.ingresses, key, new)
            }
            Object::IngressClass(new) => put(&mut objects.ingress_classes, key.name, new),
            Object::Service(new) => put(&mut objects.services, key, new),
            Object::EndpointSlice(new) => {
                self.apply_slice(key, new);
                false
            }
            Object::Secret(new) => {
                let appeared = objects.absent_secrets.as_mut().is_some_and(|absent| absent.remove(&key));
                put(&mut objects.secrets, key, new) || appeared
            }
            Object::ConfigMap(new) => put(&mut objects.config_maps, key, new),
        };
        self.dirty.all |= changed;
        match file {
            Some(file) => self.files.insert(id, Arc::clone(file)),
            None => self.files.remove(&id),
        };
    }

    /// The Service that a slice belonged to and the one it belongs to now both have other endpoints.
    fn apply_slice(&mut self, key: ObjectKey, new: Arc<EndpointSlice>) {
        let old = self.objects.endpoint_slices.get(&key);
        if old.is_some_and(|old| **old == *new) {
            return;
        }
        let services = old.and_then(|old| service_of(&key, old)).into_iter().chain(service_of(&key, &new));
        self.dirty.services.extend(services.collect::<Vec<_>>());
        self.objects.endpoint_slices.insert(key, new);
    }

    /// Forgets an object that no longer exists.
    pub(crate) fn delete(&mut self, id: &Id) {
        let (key, objects) = (id.key(), &mut self.objects);
        let changed = match id.kind {
            Kind::Ingress => {
                if self.statuses.contains_key(&key) {
                    Arc::make_mut(&mut self.statuses).remove(&key);
                }
                objects.ingresses.remove(&key).is_some()
            }
            Kind::IngressClass => objects.ingress_classes.remove(&id.name).is_some(),
            Kind::Service => objects.services.remove(&key).is_some(),
            Kind::EndpointSlice => {
                let gone = objects.endpoint_slices.remove(&key);
                self.dirty.services.extend(gone.and_then(|gone| service_of(&key, &gone)));
                false
            }
            Kind::Secret => objects.secrets.remove(&key).is_some(),
            Kind::ConfigMap => objects.config_maps.remove(&key).is_some(),
        };
        self.dirty.all |= changed;
        self.files.remove(id);
    }

    /// From here on a Secret counts as missing only once that is known: they are asked for one by one.
    pub(crate) fn ask_for_secrets(&mut self) {
        self.objects.absent_secrets.get_or_insert_default();
        self.heard_of.get_or_insert_default();
    }

    /// Something was answered about a Secret that was asked for, if only that it cannot be read.
    pub(crate) fn heard_of_secret(&mut self, key: ObjectKey) {
        self.heard_of.get_or_insert_default().insert(key);
    }

    /// Whether as much is known of the Secret as there will be in a moment.
    pub(crate) fn has_heard_of_secret(&self, key: &ObjectKey) -> bool {
        self.heard_of.as_ref().is_none_or(|heard_of| heard_of.contains(key))
    }

    /// A Secret that was asked for does not exist.
    pub(crate) fn apply_absent_secret(&mut self, key: ObjectKey) {
        let existed = self.objects.secrets.remove(&key).is_some();
        let new = self.objects.absent_secrets.get_or_insert_default().insert(key);
        self.dirty.all |= existed || new;
    }

    /// Forgets the Secrets that no Ingress names any more. That changes no route.
    pub(crate) fn retain_secrets(&mut self, used: &BTreeSet<ObjectKey>) {
        self.objects.secrets.retain(|key, _| used.contains(key));
        for known in [&mut self.objects.absent_secrets, &mut self.heard_of].into_iter().flatten() {
            known.retain(|key| used.contains(key));
        }
    }

    /// From here on only the Ingresses of namespaces that are told count.
    pub(crate) fn select_namespaces(&mut self) {
        self.objects.namespaces.get_or_insert_default();
    }

    /// The Ingresses of a namespace count, or no longer.
    pub(crate) fn apply_namespace(&mut self, name: String, selected: bool) {
        let namespaces = self.objects.namespaces.get_or_insert_default();
        self.dirty.all |= if selected { namespaces.insert(name) } else { namespaces.remove(&name) };
    }

    /// Takes what a DNS name resolves to now.
    pub(crate) fn apply_resolved(&mut self, name: String, answer: Result<Vec<IpAddr>, String>) {
        if self.objects.resolved.get(&name) == Some(&answer) {
            return;
        }
        let services = self.objects.services.iter();
        let using =
            services.filter(|(_, service)| compile::external_name_of(service).as_deref() == Some(&name));
        let using: Vec<_> = using.map(|(key, _)| key.clone()).collect();
        // A name that no Service stands for is asked for while endpoints of before go on that came from it.
        self.dirty.all |= using.is_empty();
        self.dirty.services.extend(using);
        self.objects.resolved.insert(name, answer);
    }

    /// Forgets the DNS names that no route uses any more. That changes no route.
    pub(crate) fn retain_resolved(&mut self, used: &BTreeSet<String>) {
        self.objects.resolved.retain(|name, _| used.contains(name));
    }

    /// What [`compile`] reads.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// What each Ingress' status says.
    pub(crate) fn statuses(&self) -> &Arc<BTreeMap<ObjectKey, Arc<SeenStatus>>> {
        &self.statuses
    }

    /// What has changed since it was last taken.
    pub(crate) fn dirty(&self) -> &Dirty {
        &self.dirty
    }

    /// Takes what has changed, to be compiled.
    pub(crate) fn take_dirty(&mut self) -> Dirty {
        std::mem::take(&mut self.dirty)
    }

    /// Where the object that a problem names was read.
    pub(crate) fn file_of(&self, object: &ObjectRef) -> Option<&Arc<str>> {
        let kind = Kind::parse(&object.kind)?;
        self.files.get(&Id { kind, namespace: object.namespace.clone(), name: object.name.clone() })
    }

    /// The UID of the object that a problem names.
    pub(crate) fn uid_of(&self, object: &ObjectRef) -> Option<&String> {
        let key = ObjectKey::new(&*object.namespace, &*object.name);
        let kind = Kind::parse(&object.kind)?;
        let metadata = match kind {
            Kind::Ingress => self.objects.ingresses.get(&key)?.metadata(),
            Kind::IngressClass => self.objects.ingress_classes.get(&key.name)?.metadata(),
            Kind::Service => self.objects.services.get(&key)?.metadata(),
            Kind::EndpointSlice => self.objects.endpoint_slices.get(&key)?.metadata(),
            Kind::Secret => self.objects.secrets.get(&key)?.metadata(),
            Kind::ConfigMap => self.objects.config_maps.get(&key)?.metadata(),
        };
        metadata.uid.as_ref()
    }
}

/// The Service that a slice belongs to.
fn service_of(key: &ObjectKey, slice: &EndpointSlice) -> Option<ObjectKey> {
    compile::service_of(slice).map(|service| ObjectKey::new(&*key.namespace, service))
}

/// Takes the status, and who wrote it, out of an Ingress.
fn take_status(
    ingress: Arc<Ingress>,
    key: &ObjectKey,
    statuses: &mut Arc<BTreeMap<ObjectKey, Arc<SeenStatus>>>,
) -> Arc<Ingress> {
    let mut ingress = Arc::unwrap_or_clone(ingress);
    let seen = SeenStatus::take(&mut ingress);
    if statuses.get(key).is_none_or(|old| **old != seen) {
        Arc::make_mut(statuses).insert(key.clone(), Arc::new(seen));
    }
    Arc::new(ingress)
}

/// Puts `new` in its place and says whether that changed anything.
fn put<K: Ord, V: PartialEq>(objects: &mut BTreeMap<K, Arc<V>>, key: K, new: Arc<V>) -> bool {
    match objects.get(&key) {
        Some(old) if Arc::ptr_eq(old, &new) || *old == new => false,
        _ => {
            objects.insert(key, new);
            true
        }
    }
}

#[cfg(test)]
mod tests;
