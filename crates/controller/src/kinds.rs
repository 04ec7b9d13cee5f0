//! The kinds of objects that the index holds: the one list of them, and what is particular to each.
//!
//! Owns: the table below, from which come [`Kind`], [`Object`], where the index keeps an object, how a manifest of it
//! is read, and that it is watched; and a file for each kind, its *reader*, which says what of it is kept and what it
//! names.
//! Never: IO, or what an object means; that is [`compile`]'s.
//! Start at the table; the traits that a reader implements are [`Prune`] and [`Indexed`].

mod collection;
mod indexed;
mod prune;
mod scope;
mod statuses;
#[macro_use]
mod table;

mod config_map;
mod endpoint_slice;
mod ingress;
mod ingress_class;
mod secret;
mod service;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use compile::{ObjectKey, Objects};
pub(crate) use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
pub(crate) use k8s_openapi::api::discovery::v1::EndpointSlice;
pub(crate) use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::Resource as _;
use kube::core::ApiResource;
use model::ObjectRef;
use serde_json::Value;

pub(crate) use collection::Collection;
pub(crate) use indexed::{BearsOn, Indexed, Stored, WatchKind};
pub(crate) use prune::{Prune, identity};
pub(crate) use scope::Scope;
pub(crate) use statuses::{FIELD_MANAGER_PREFIX, SeenStatus, Statuses};

use crate::manifests::Wrong;

// KIND in FIELD of `compile::Objects`. (`$` is for the macros that the table makes.)
kinds! {
    ($)
    Ingress       in ingresses,
    IngressClass  in ingress_classes,
    Service       in services,
    EndpointSlice in endpoint_slices,
    Secret        in secrets,
    ConfigMap     in config_maps,
}

/// The groups in which kinds of ours once lived: a manifest that names one is told the version that is read.
const FORMER_GROUPS: [&str; 1] = ["extensions"];

impl Kind {
    /// The kind that the word in a `kind` field means, if it is one of these.
    pub(crate) fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// The only `apiVersion` that is read.
    pub(crate) fn api_version(self) -> Cow<'static, str> {
        of_kind!(self, K => K::api_version(&()))
    }

    /// Watches the objects of this kind in a cluster, if they are watched at all.
    pub(crate) fn watch(self, cluster: &mut impl WatchKind) {
        of_kind!(self, K => K::watch(cluster));
    }

    /// What the API server calls it.
    pub(crate) fn resource(self) -> ApiResource {
        of_kind!(self, K => ApiResource::erase::<K>(&()))
    }

    /// Whether objects of this kind live in a namespace.
    pub(crate) fn is_namespaced(self) -> bool {
        of_kind!(self, K => K::NAMESPACED)
    }

    /// Whether one lives on for a moment after its deletion.
    pub(crate) fn outlives_deletion(self) -> bool {
        of_kind!(self, K => K::OUTLIVES_DELETION)
    }

    /// Whether this is the group of any of the kinds, or was. The same words in other groups are other kinds (`Service`
    /// of `serving.knative.dev`).
    pub(crate) fn has_group(group: &str) -> bool {
        let mut groups = Kind::ALL.iter().map(|kind| of_kind!(*kind, K => K::group(&())));
        FORMER_GROUPS.contains(&group) || groups.any(|known| known == group)
    }

    /// Reads an object of this kind out of a manifest.
    pub(crate) fn read_manifest(self, value: Value) -> Result<Object, Wrong> {
        of_kind!(self, K => K::from_manifest(value).map(|object| Arc::new(object).into_object()))
    }

    /// Whether what is known of this object is enough for those that name it.
    pub(crate) fn is_known(self, key: &ObjectKey, objects: &Objects) -> bool {
        of_kind!(self, K => K::is_known(key, objects))
    }
}

/// Names an object among all kinds. The namespace of a cluster-wide kind is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Id {
    /// The object of this kind and name.
    pub(crate) fn new(kind: Kind, key: ObjectKey) -> Id {
        Id { kind, namespace: key.namespace, name: key.name }
    }

    /// As problems name it.
    pub(crate) fn named(&self) -> ObjectRef {
        ObjectRef::new(self.kind.as_str(), &self.namespace, &self.name)
    }

    /// As problems name it, with the file it was read from.
    pub(crate) fn in_file(&self, file: &str) -> ObjectRef {
        ObjectRef { file: Some(file.into()), ..self.named() }
    }

    /// Its name among the objects of its kind.
    pub(crate) fn key(&self) -> ObjectKey {
        ObjectKey::new(&*self.namespace, &*self.name)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named().fmt(f)
    }
}

impl Object {
    /// The object's name among all kinds.
    pub(crate) fn id(&self) -> Id {
        of_object!(self, object => object.id())
    }
}

#[cfg(test)]
mod tests;
