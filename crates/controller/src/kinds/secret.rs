//! How a Secret is read. Those of a cluster are asked for by name, and answered one by one.

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::{Indexed, Prune, WatchKind, identity};
use crate::manifests::{Wrong, secret_from_manifest};

impl Prune for Secret {
    fn prune(self) -> Self {
        Secret { metadata: identity(self.metadata), ..self }
    }
}

impl Indexed for Secret {
    fn watch(_cluster: &mut impl WatchKind) {}

    fn from_manifest(value: Value) -> Result<Secret, Wrong> {
        secret_from_manifest(value)
    }
}
