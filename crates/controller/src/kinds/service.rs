//! How a Service is read.

use compile::{ObjectKey, Objects};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec, ServiceStatus};

use super::{Indexed, Prune, identity};

impl Prune for Service {
    fn prune(self) -> Self {
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

impl Indexed for Service {
    const OUTLIVES_DELETION: bool = true;

    /// The Service and a slice of it, or the addresses of the name that it stands for.
    fn is_known(key: &ObjectKey, objects: &Objects) -> bool {
        let Some(service) = objects.services.get(key) else { return false };
        match compile::external_name_of(service) {
            Some(name) => objects.resolved.contains_key(&name),
            None => objects.endpoint_slices.of(&key.namespace, &key.name).next().is_some(),
        }
    }
}
