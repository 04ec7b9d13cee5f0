//! How an IngressClass is read.

use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Indexed, Prune, identity};

impl Prune for IngressClass {
    fn prune(mut self) -> Self {
        let annotations = self.metadata.annotations.take();
        self.metadata = ObjectMeta { annotations, ..identity(self.metadata) };
        self
    }
}

impl Indexed for IngressClass {
    const OUTLIVES_DELETION: bool = true;
}
