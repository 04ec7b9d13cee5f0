//! What of each object is kept: what [`compile`] reads, and what is needed to tell its author what is wrong.
//!
//! 50 000 endpoints and 5 000 Ingresses have to fit beside the data plane, and an object that changed only in what is
//! left out here is no change.

use k8s_openapi::api::core::v1::{
    Namespace, Node, NodeSpec, ObjectReference, Secret, Service, ServicePort, ServiceSpec, ServiceStatus,
};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

/// Every `kubectl apply` leaves a copy of the whole object in this annotation.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object that can do with less than the API server sends.
pub(crate) trait Lean {
    /// Only what is needed.
    fn lean(self) -> Self;
}

/// Who the object is, and nothing else. The version is for the watch; the index does without.
fn identity(metadata: ObjectMeta) -> ObjectMeta {
    let ObjectMeta { name, namespace, uid, resource_version, creation_timestamp, .. } = metadata;
    ObjectMeta { name, namespace, uid, resource_version, creation_timestamp, ..ObjectMeta::default() }
}

impl Lean for Ingress {
    fn lean(mut self) -> Self {
        let mut annotations = self.metadata.annotations.take().unwrap_or_default();
        annotations.remove(LAST_APPLIED);
        let managed_fields = self.metadata.managed_fields.take().map(status_managers);
        self.metadata = ObjectMeta {
            annotations: (!annotations.is_empty()).then_some(annotations),
            managed_fields,
            ..identity(self.metadata)
        };
        self
    }
}

/// Who wrote the status: a status that we wrote is ours to remove.
fn status_managers(entries: Vec<ManagedFieldsEntry>) -> Vec<ManagedFieldsEntry> {
    let of_status = entries.into_iter().filter(|entry| entry.subresource.as_deref() == Some("status"));
    of_status
        .map(|ManagedFieldsEntry { manager, .. }| ManagedFieldsEntry { manager, ..Default::default() })
        .collect()
}

impl Lean for IngressClass {
    fn lean(mut self) -> Self {
        let annotations = self.metadata.annotations.take();
        self.metadata = ObjectMeta { annotations, ..identity(self.metadata) };
        self
    }
}

impl Lean for Service {
    fn lean(self) -> Self {
        let spec = self.spec.map(|ServiceSpec { ports, type_, external_name, external_ips, .. }| {
            let port = |ServicePort { name, port, protocol, app_protocol, .. }| ServicePort {
                name,
                port,
                protocol,
                app_protocol,
                ..Default::default()
            };
            let ports = ports.map(|ports| ports.into_iter().map(port).collect());
            ServiceSpec { ports, type_, external_name, external_ips, ..ServiceSpec::default() }
        });
        let balancer = self.status.and_then(|status| status.load_balancer);
        let status =
            balancer.map(|balancer| ServiceStatus { load_balancer: Some(balancer), conditions: None });
        Service { metadata: identity(self.metadata), spec, status }
    }
}

impl Lean for EndpointSlice {
    fn lean(self) -> Self {
        let EndpointSlice { address_type, endpoints, metadata, ports } = self;
        let labels = metadata.labels.clone().map(|mut labels| {
            labels.retain(|label, _| label == compile::SERVICE_NAME_LABEL);
            labels
        });
        let port = |EndpointPort { name, port, protocol, .. }| EndpointPort {
            name,
            port,
            protocol,
            ..Default::default()
        };
        EndpointSlice {
            address_type,
            endpoints: endpoints.into_iter().map(endpoint).collect(),
            metadata: ObjectMeta { labels, ..identity(metadata) },
            ports: ports.map(|ports| ports.into_iter().map(port).collect()),
        }
    }
}

/// Of the addresses only the first has a meaning; of the target only what tells one pod from the next at its address.
fn endpoint(endpoint: Endpoint) -> Endpoint {
    let Endpoint { mut addresses, conditions, target_ref, .. } = endpoint;
    addresses.truncate(1);
    addresses.shrink_to_fit();
    let target_ref = target_ref.map(|ObjectReference { name, uid, .. }| {
        let name = if uid.is_some() { None } else { name };
        ObjectReference { name, uid, ..ObjectReference::default() }
    });
    Endpoint { addresses, conditions, target_ref, ..Endpoint::default() }
}

impl Lean for Secret {
    fn lean(self) -> Self {
        Secret { metadata: identity(self.metadata), ..self }
    }
}

impl Lean for Namespace {
    /// Its labels say whether its Ingresses are served.
    fn lean(mut self) -> Self {
        let labels = self.metadata.labels.take();
        Namespace { metadata: ObjectMeta { labels, ..identity(self.metadata) }, spec: None, status: None }
    }
}

impl Lean for Node {
    fn lean(self) -> Self {
        let spec = self.spec.map(|NodeSpec { taints, unschedulable, .. }| NodeSpec {
            taints,
            unschedulable,
            ..NodeSpec::default()
        });
        Node { metadata: identity(self.metadata), spec, status: None }
    }
}
