//! How a ConfigMap is read. Those of a cluster are asked for by name, as the operator and other objects name them.

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
