//! How a ConfigMap is read. No Ingress names one in this version, so those of a cluster are not asked for.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{Indexed, Prune, WatchKind, identity};

impl Prune for ConfigMap {
    fn prune(self) -> Self {
        ConfigMap { metadata: identity(self.metadata), ..self }
    }
}

impl Indexed for ConfigMap {
    fn watch(_cluster: &mut impl WatchKind) {}
}
