//! How an Ingress is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use compile::{ObjectKey, Objects, Settings};
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::{Id, Indexed, Kind, Prune, SeenStatus, Statuses, identity};

/// Every `kubectl apply` leaves a copy of the whole object in this annotation.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Prune for Ingress {
    fn prune(mut self) -> Self {
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

/// The writers of the status: a status that we wrote is ours to remove.
fn status_managers(entries: Vec<ManagedFieldsEntry>) -> Vec<ManagedFieldsEntry> {
    let of_status = entries.into_iter().filter(|entry| entry.subresource.as_deref() == Some("status"));
    of_status
        .map(|ManagedFieldsEntry { manager, .. }| ManagedFieldsEntry { manager, ..Default::default() })
        .collect()
}

impl Indexed for Ingress {
    /// Its class, its Services, its Secrets and its ConfigMap. The class that the operator named needs no object.
    fn references(&self, key: &ObjectKey, settings: &Settings) -> BTreeSet<Id> {
        let class = self.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_ref());
        let class = class.filter(|class| **class != settings.class);
        let class = class.map(|class| Id::new(Kind::IngressClass, ObjectKey::new("", class)));
        let services = backends(self).filter_map(|backend| backend.service.as_ref());
        let services =
            services.map(|service| Id::new(Kind::Service, ObjectKey::new(&*key.namespace, &*service.name)));
        let secrets = compile::secrets_of(key, self, settings).into_iter();
        let secrets = secrets.map(|secret| Id::new(Kind::Secret, secret));
        let config_maps = compile::config_maps_of(key, self, settings).into_iter();
        let config_maps = config_maps.map(|named| Id::new(Kind::ConfigMap, named));
        class.into_iter().chain(services).chain(secrets).chain(config_maps).collect()
    }

    fn is_ours(&self, key: &ObjectKey, objects: &Objects, settings: &Settings) -> bool {
        compile::is_ours(key, self, objects, settings)
    }

    fn set_status_aside(self: Arc<Self>, key: &ObjectKey, statuses: &mut Arc<Statuses>) -> Arc<Self> {
        let mut ingress = Arc::unwrap_or_clone(self);
        let seen = SeenStatus::take(&mut ingress);
        if statuses.ingresses.get(key).is_none_or(|old| **old != seen) {
            Arc::make_mut(statuses).ingresses.insert(key.clone(), Arc::new(seen));
        }
        Arc::new(ingress)
    }

    fn forget_status(key: &ObjectKey, statuses: &mut Arc<Statuses>) {
        if statuses.ingresses.contains_key(key) {
            Arc::make_mut(statuses).ingresses.remove(key);
        }
    }
}

fn backends(ingress: &Ingress) -> impl Iterator<Item = &IngressBackend> {
    let spec = ingress.spec.iter();
    spec.flat_map(|spec| {
        let rules = spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref());
        rules.flat_map(|http| &http.paths).map(|path| &path.backend).chain(&spec.default_backend)
    })
}
