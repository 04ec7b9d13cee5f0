//! The kinds of objects that the index holds, and their names.

use std::fmt;
use std::sync::Arc;

use compile::ObjectKey;
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

    /// The kind that the word in a `kind` field means, if it is one of these.
    pub(crate) fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

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

    /// Its name among the objects of its kind.
    pub(crate) fn key(&self) -> ObjectKey {
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
