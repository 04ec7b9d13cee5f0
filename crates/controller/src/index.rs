//! The index: the last known object of each name, and where it was read.
//!
//! Every source feeds it through [`Index::apply`] and [`Index::delete`], a folder of manifests and a cluster's
//! watchers alike. It judges nothing: what an object means is [`compile`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use compile::{ObjectKey, Objects};
use k8s_openapi::Metadata;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use model::ObjectRef;

/// The kinds that bear on the route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Ingress,
    IngressClass,
    Service,
    EndpointSlice,
    Secret,
    ConfigMap,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [
        Kind::Ingress,
        Kind::IngressClass,
        Kind::Service,
        Kind::EndpointSlice,
        Kind::Secret,
        Kind::ConfigMap,
    ];

    /// The word in the object's `kind` field.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Ingress => "Ingress",
            Kind::IngressClass => "IngressClass",
            Kind::Service => "Service",
            Kind::EndpointSlice => "EndpointSlice",
            Kind::Secret => "Secret",
            Kind::ConfigMap => "ConfigMap",
        }
    }

    /// The only `apiVersion` that is read.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Kind::Ingress | Kind::IngressClass => "networking.k8s.io/v1",
            Kind::EndpointSlice => "discovery.k8s.io/v1",
            Kind::Service | Kind::Secret | Kind::ConfigMap => "v1",
        }
    }

    /// Whether objects of this kind live in a namespace.
    pub(crate) fn is_namespaced(self) -> bool {
        self != Kind::IngressClass
    }
}

/// Names an object among all kinds. The namespace of a cluster-wide kind is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Id {
    /// As problems name it, with the file it was read from.
    pub(crate) fn in_file(&self, file: &str) -> ObjectRef {
        let named = ObjectRef::new(self.kind.as_str(), &self.namespace, &self.name);
        ObjectRef { file: Some(file.into()), ..named }
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::new(&*self.namespace, &*self.name)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ObjectRef::new(self.kind.as_str(), &self.namespace, &self.name).fmt(f)
    }
}

/// An object of one of the kinds.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Ingress(Arc<Ingress>),
    IngressClass(Arc<IngressClass>),
    Service(Arc<Service>),
    EndpointSlice(Arc<EndpointSlice>),
    Secret(Arc<Secret>),
    ConfigMap(Arc<ConfigMap>),
}

impl Object {
    /// The object's name among all kinds.
    pub(crate) fn id(&self) -> Id {
        let (kind, metadata) = match self {
            Object::Ingress(object) => (Kind::Ingress, object.metadata()),
            Object::IngressClass(object) => (Kind::IngressClass, object.metadata()),
            Object::Service(object) => (Kind::Service, object.metadata()),
            Object::EndpointSlice(object) => (Kind::EndpointSlice, object.metadata()),
            Object::Secret(object) => (Kind::Secret, object.metadata()),
            Object::ConfigMap(object) => (Kind::ConfigMap, object.metadata()),
        };
        let ObjectMeta { namespace, name, .. } = metadata;
        Id { kind, namespace: namespace.clone().unwrap_or_default(), name: name.clone().unwrap_or_default() }
    }
}

/// The last known objects.
#[derive(Debug, Default)]
pub(crate) struct Index {
    objects: Objects,
    files: BTreeMap<Id, Arc<str>>,
    revision: u64,
}

impl Index {
    /// Takes an object as it is now; `file` is where it was read, if from a file.
    pub(crate) fn apply(&mut self, object: Object, file: Option<&Arc<str>>) {
        let id = object.id();
        let (key, objects) = (id.key(), &mut self.objects);
        let changed = match object {
            Object::Ingress(new) => put(&mut objects.ingresses, key, new),
            Object::IngressClass(new) => put(&mut objects.ingress_classes, key.name, new),
            Object::Service(new) => put(&mut objects.services, key, new),
            Object::EndpointSlice(new) => put(&mut objects.endpoint_slices, key, new),
            Object::Secret(new) => put(&mut objects.secrets, key, new),
            Object::ConfigMap(new) => put(&mut objects.config_maps, key, new),
        };
        self.revision += u64::from(changed);
        match file {
            Some(file) => self.files.insert(id, Arc::clone(file)),
            None => self.files.remove(&id),
        };
    }

    /// Forgets an object that no longer exists.
    pub(crate) fn delete(&mut self, id: &Id) {
        let (key, objects) = (id.key(), &mut self.objects);
        let changed = match id.kind {
            Kind::Ingress => objects.ingresses.remove(&key).is_some(),
            Kind::IngressClass => objects.ingress_classes.remove(&id.name).is_some(),
            Kind::Service => objects.services.remove(&key).is_some(),
            Kind::EndpointSlice => objects.endpoint_slices.remove(&key).is_some(),
            Kind::Secret => objects.secrets.remove(&key).is_some(),
            Kind::ConfigMap => objects.config_maps.remove(&key).is_some(),
        };
        self.revision += u64::from(changed);
        self.files.remove(id);
    }

    /// Takes what a DNS name resolves to now.
    pub(crate) fn apply_resolved(&mut self, name: String, answer: Result<Vec<IpAddr>, String>) {
        if self.objects.resolved.get(&name) != Some(&answer) {
            self.objects.resolved.insert(name, answer);
            self.revision += 1;
        }
    }

    /// Forgets the DNS names that no route uses any more. That changes no route, so it is no revision.
    pub(crate) fn retain_resolved(&mut self, used: &BTreeSet<String>) {
        self.objects.resolved.retain(|name, _| used.contains(name));
    }

    /// What [`compile`] reads.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Counts the changes of what [`compile`] reads: the same revision compiles to the same table.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Where the object that a problem names was read.
    pub(crate) fn file_of(&self, object: &ObjectRef) -> Option<&Arc<str>> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == object.kind)?;
        self.files.get(&Id { kind, namespace: object.namespace.clone(), name: object.name.clone() })
    }
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
mod tests {
    use super::*;

    fn service(name: &str, external_name: Option<&str>) -> Object {
        let mut service = Service::default();
        service.metadata.namespace = Some("shop".into());
        service.metadata.name = Some(name.into());
        service.spec.get_or_insert_default().external_name = external_name.map(str::to_owned);
        Object::Service(Arc::new(service))
    }

    #[test]
    fn an_object_that_comes_again_unchanged_is_no_change() {
        let mut index = Index::default();
        index.apply(service("web", None), None);
        let before = index.revision();
        index.apply(service("web", None), None);
        assert_eq!(index.revision(), before);
        index.apply(service("web", Some("example.org")), None);
        assert_ne!(index.revision(), before);
    }

    #[test]
    fn a_deleted_object_is_gone_and_deleting_it_again_is_no_change() {
        let mut index = Index::default();
        let (file, object) = (Arc::from("web.yaml"), service("web", None));
        index.apply(object.clone(), Some(&file));
        assert_eq!(index.file_of(&object.id().in_file("")), Some(&file));
        index.delete(&object.id());
        let before = index.revision();
        index.delete(&object.id());
        assert_eq!((index.objects().services.len(), index.revision()), (0, before));
        assert_eq!(index.file_of(&object.id().in_file("")), None);
    }

    #[test]
    fn the_same_answer_from_dns_is_no_change() {
        let mut index = Index::default();
        let answer = || Ok(vec![IpAddr::from([10, 0, 0, 7])]);
        index.apply_resolved("db.example.org".into(), answer());
        let before = index.revision();
        index.apply_resolved("db.example.org".into(), answer());
        assert_eq!(index.revision(), before);
        index.retain_resolved(&BTreeSet::new());
        assert!(index.objects().resolved.is_empty());
    }
}
