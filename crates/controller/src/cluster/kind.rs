//! What can be watched, and what becomes of what is seen of it.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Node, NodeSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::DeserializeOwned;

use super::change::Change;
use super::watch::Seen;
use crate::kinds::{Id, Indexed, Prune, identity};

/// A kind that can be watched: those that the index holds, and those below.
pub(super) trait Watched:
    Resource<DynamicType = ()> + Prune + DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static
{
}

impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Prune + DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static
{
}

impl Prune for Namespace {
    /// Its labels say whether its Ingresses are served.
    fn prune(mut self) -> Self {
        let labels = self.metadata.labels.take();
        Namespace { metadata: ObjectMeta { labels, ..identity(self.metadata) }, spec: None, status: None }
    }
}

impl Prune for Node {
    fn prune(self) -> Self {
        let spec = self.spec.map(|NodeSpec { taints, unschedulable, .. }| NodeSpec {
            taints,
            unschedulable,
            ..NodeSpec::default()
        });
        Node { metadata: identity(self.metadata), spec, status: None }
    }
}

/// What is seen of an object that the index holds.
pub(super) fn indexed<K: Indexed>(seen: Seen<K>) -> Change {
    match seen {
        Seen::Applied(object) => Change::Apply(Arc::new(object).into_object()),
        Seen::Deleted(key) => Change::Delete(Id::new(K::KIND, key)),
        Seen::Unreadable(key, why) => Change::Unreadable(Id::new(K::KIND, key), why),
    }
}

/// A namespace that was seen has the labels; one that has lost them is told as deleted.
pub(super) fn namespace(seen: Seen<Namespace>) -> Change {
    match seen {
        Seen::Applied(namespace) => Change::Namespace(namespace.metadata.name.unwrap_or_default(), true),
        Seen::Deleted(key) => Change::Namespace(key.name, false),
        Seen::Unreadable(key, _) => Change::Namespace(key.name, true),
    }
}
