//! The last known objects: all that [`compile`](crate::compile) reads.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

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
    pub endpoint_slices: BTreeMap<ObjectKey, Arc<EndpointSlice>>,
    /// The Secrets that Ingresses may name.
    pub secrets: BTreeMap<ObjectKey, Arc<Secret>>,
    /// The ConfigMaps that Ingresses may name; none does in this version.
    pub config_maps: BTreeMap<ObjectKey, Arc<ConfigMap>>,
    /// The addresses of ExternalName Services by DNS name (lower case, no final dot), as far as they are resolved;
    /// `Err` says why a name could not be. A name that is absent is still being resolved.
    pub resolved: BTreeMap<String, Result<Vec<IpAddr>, String>>,
}
