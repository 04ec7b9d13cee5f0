//! The index: the last known object of each name, where it was read, and what has changed since the last compile.
//!
//! Every source feeds it through [`Index::apply`] and [`Index::delete`], a folder of manifests and a cluster's
//! watchers alike. It judges nothing: what an object means is [`compile`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use compile::{ObjectKey, Objects};
use k8s_openapi::api::core::v1::Secret;
use kube::Resource as _;
use model::ObjectRef;

use crate::kinds::{BearsOn, Collection as _, Id, Indexed, Kind, Object, Statuses, Stored as _};
use crate::kinds::{of_kind, of_object};

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

    fn add(&mut self, bears_on: BearsOn) {
        match bears_on {
            BearsOn::Everything => self.all = true,
            BearsOn::EndpointsOf(service) => drop(self.services.insert(service)),
            BearsOn::Nothing => {}
        }
    }
}

/// The last known objects.
#[derive(Debug, Default)]
pub(crate) struct Index {
    objects: Objects,
    files: BTreeMap<Id, Arc<str>>,
    statuses: Arc<Statuses>,
    /// The Secrets about which anything was heard, where they are asked for by name.
    heard_of: Option<BTreeSet<ObjectKey>>,
    dirty: Dirty,
}

impl Index {
    /// Takes an object as it is now; `file` is where it was read, if from a file.
    pub(crate) fn apply(&mut self, object: Object, file: Option<&Arc<str>>) {
        let id = object.id();
        of_object!(object, new => self.put(id.key(), new));
        match file {
            Some(file) => self.files.insert(id, Arc::clone(file)),
            None => self.files.remove(&id),
        };
    }

    /// What the object was before may bear on something else than what it is now: a slice can move to another Service.
    fn put<K: Indexed>(&mut self, key: ObjectKey, new: Arc<K>) {
        let new = new.set_status_aside(&key, &mut self.statuses);
        let old = K::all_in(&self.objects).get(&key);
        if old.is_some_and(|old| Arc::ptr_eq(old, &new) || *old == new) {
            return;
        }
        for object in old.into_iter().chain([&new]) {
            self.dirty.add(object.bears_on(&key));
        }
        K::all_in_mut(&mut self.objects).insert(key, new);
    }

    /// Forgets an object that no longer exists.
    pub(crate) fn delete(&mut self, id: &Id) {
        of_kind!(id.kind, K => self.remove::<K>(&id.key()));
        self.files.remove(id);
    }

    fn remove<K: Indexed>(&mut self, key: &ObjectKey) {
        K::forget_status(key, &mut self.statuses);
        if let Some(gone) = K::all_in_mut(&mut self.objects).remove(key) {
            self.dirty.add(gone.bears_on(key));
        }
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

    /// A Secret that was asked for exists.
    pub(crate) fn apply_found_secret(&mut self, key: &ObjectKey, secret: Arc<Secret>) {
        if let Some(absent) = &mut self.objects.absent_secrets {
            absent.remove(key);
        }
        self.apply(Object::Secret(secret), None);
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

    /// Forgets the ConfigMaps that are not followed any more, of which nothing is heard.
    pub(crate) fn retain_config_maps(&mut self, followed: &BTreeSet<ObjectKey>) {
        self.objects.config_maps.retain(|key, _| followed.contains(key));
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
        // A name that is a backend by itself.
        self.dirty.services.insert(ObjectKey::new("", &name));
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

    /// What the status of each object says.
    pub(crate) fn statuses(&self) -> &Arc<Statuses> {
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
        of_kind!(kind, K => K::all_in(&self.objects).get(&key)?.meta().uid.as_ref())
    }
}

#[cfg(test)]
mod tests;
