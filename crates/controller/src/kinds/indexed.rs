//! What a kind is to the index, the sources and the dependency gate.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use compile::{ObjectKey, Objects, Settings};
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Collection, Id, Kind, Object, Prune, Scope, Statuses};
use crate::manifests::{Wrong, typed};

/// What the table says of a kind.
pub(crate) trait Stored:
    Resource<DynamicType = (), Scope: Scope>
    + DeserializeOwned
    + Clone
    + fmt::Debug
    + PartialEq
    + Send
    + Sync
    + 'static
{
    const KIND: Kind;
    const NAMESPACED: bool = <Self::Scope as Scope>::NAMESPACED;

    fn into_object(self: Arc<Self>) -> Object;

    /// Where objects of this kind are kept.
    fn all_in(objects: &Objects) -> &impl Collection<Self>;
    fn all_in_mut(objects: &mut Objects) -> &mut impl Collection<Self>;

    /// The object's name among all kinds.
    fn id(&self) -> Id {
        let metadata = self.meta();
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        Id { kind: Self::KIND, namespace: namespace.unwrap_or_default(), name: name.unwrap_or_default() }
    }
}

/// What is particular to a kind: what its file below says, where the usual does not apply.
pub(crate) trait Indexed: Stored + Prune {
    /// Whether one lives on for a moment after its deletion: where others name it, and one that names it no more may be
    /// told later.
    const OUTLIVES_DELETION: bool = false;

    /// Watches the objects of a cluster. A kind whose objects are only asked for by name, or only read from a folder,
    /// does nothing here.
    fn watch(cluster: &mut impl WatchKind) {
        cluster.watch_kind::<Self>();
    }

    /// Reads an object out of a manifest.
    fn from_manifest(value: Value) -> Result<Self, Wrong> {
        typed(value)
    }

    /// The objects that this one names: it becomes live once they are known, or after a moment.
    fn references(&self, _key: &ObjectKey, _settings: &Settings) -> BTreeSet<Id> {
        BTreeSet::new()
    }

    /// Whether it is ours to serve: Secrets that only others name are not asked for.
    fn is_ours(&self, _key: &ObjectKey, _objects: &Objects, _settings: &Settings) -> bool {
        true
    }

    /// Whether what is known of an object of this kind is enough for those that name it.
    fn is_known(key: &ObjectKey, objects: &Objects) -> bool {
        Self::all_in(objects).get(key).is_some()
    }

    /// What has to be compiled again when it changes.
    fn bears_on(&self, _key: &ObjectKey) -> BearsOn {
        BearsOn::Everything
    }

    /// Takes out of an object that was read what no route depends on and status writers need.
    fn set_status_aside(self: Arc<Self>, _key: &ObjectKey, _statuses: &mut Arc<Statuses>) -> Arc<Self> {
        self
    }

    /// Forgets what was set aside of an object that is gone.
    fn forget_status(_key: &ObjectKey, _statuses: &mut Arc<Statuses>) {}
}

/// A cluster as the source of all objects of a kind.
pub(crate) trait WatchKind {
    fn watch_kind<K: Indexed>(&mut self);
}

/// What has to be compiled again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BearsOn {
    /// Anything may be different.
    Everything,
    /// Only the endpoints of this Service.
    EndpointsOf(ObjectKey),
    Nothing,
}
