//! The kinds that are watched, and what becomes of what is seen of them.

use std::fmt;
use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::{Namespace, Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::Resource;
use serde::de::DeserializeOwned;

use super::change::Change;
use super::lean::Lean;
use super::watch::Seen;
use crate::index::{Id, Kind, Object};

/// A kind that can be watched.
pub(super) trait Watched:
    Resource<DynamicType = ()>
    + k8s_openapi::Resource
    + Lean
    + DeserializeOwned
    + Clone
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
}

macro_rules! watched {
    ($($kind:ident),*) => {$(impl Watched for $kind {})*};
}

watched!(Ingress, IngressClass, Service, EndpointSlice, Secret, Namespace, Node);

/// A kind that the index holds.
pub(super) trait Indexed: Resource<DynamicType = ()> + Sized {
    const INDEXED: Kind;
    fn object(self) -> Object;
}

macro_rules! indexed {
    ($($kind:ident),*) => {$(
        impl Indexed for $kind {
            const INDEXED: Kind = Kind::$kind;
            fn object(self) -> Object {
                Object::$kind(Arc::new(self))
            }
        }
    )*};
}

indexed!(Ingress, IngressClass, Service, EndpointSlice);

pub(super) fn indexed<K: Indexed>(seen: Seen<K>) -> Change {
    let id = |key: ObjectKey| Id { kind: K::INDEXED, namespace: key.namespace, name: key.name };
    match seen {
        Seen::Applied(object) => Change::Apply(object.object()),
        Seen::Deleted(key) => Change::Delete(id(key)),
        Seen::Unreadable(key, why) => Change::Unreadable(id(key), why),
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
