//! How an EndpointSlice is read.

use compile::ObjectKey;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{BearsOn, Indexed, Prune, identity};

impl Prune for EndpointSlice {
    fn prune(self) -> Self {
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

impl Indexed for EndpointSlice {
    const OUTLIVES_DELETION: bool = true;

    fn bears_on(&self, key: &ObjectKey) -> BearsOn {
        match compile::service_of(self) {
            Some(service) => BearsOn::EndpointsOf(ObjectKey::new(&*key.namespace, service)),
            None => BearsOn::Nothing,
        }
    }
}
