//! The last known objects: all that [`compile`](crate::compile) reads.

mod endpoint_slices;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

pub use endpoint_slices::{EndpointSlices, SERVICE_NAME_LABEL, service_of};

/// Names a namespaced object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

impl ObjectKey {
    /// The object of this name in this namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> ObjectKey {
        ObjectKey { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The last known objects, by name. An object that is absent here does not exist.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// All Ingresses, those of other classes too.
    pub ingresses: BTreeMap<ObjectKey, Arc<Ingress>>,
    /// All IngressClasses, those of other controllers too.
    pub ingress_classes: BTreeMap<String, Arc<IngressClass>>,
    /// All Services.
    pub services: BTreeMap<ObjectKey, Arc<Service>>,
    /// All EndpointSlices.
    pub endpoint_slices: EndpointSlices,
    /// The namespaces whose Ingresses count; `None` for all.
    pub namespaces: Option<BTreeSet<String>>,
    /// The Secrets that Ingresses may name.
    pub secrets: BTreeMap<ObjectKey, Arc<Secret>>,
    /// The Secrets that are known not to exist, where they are only asked for by name: then nothing is known of others
    /// that `secrets` is without. `None` where `secrets` is all there are.
    pub absent_secrets: Option<BTreeSet<ObjectKey>>,
    /// The ConfigMaps that the operator and other objects name.
    pub config_maps: BTreeMap<ObjectKey, Arc<ConfigMap>>,
    /// The addresses of ExternalName Services by DNS name (lower case, no final dot), as far as they are resolved;
    /// `Err` says why a name could not be. A name that is absent is still being resolved.
    pub resolved: BTreeMap<String, Result<Vec<IpAddr>, String>>,
}
