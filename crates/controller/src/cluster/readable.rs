//! One object of the API server as far as it can be read, and no more of it than is needed.
//!
//! The cluster's objects are many and large; most of what they hold no route depends on. Each is pruned while it is
//! read, so that a page of 500 is never held whole, and one that cannot be read does not cost the others of its page.

use std::borrow::Cow;

use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::kinds::Prune;

/// A pruned object, or which one it is and why it cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum Readable<K> {
    Object(K),
    Unreadable { metadata: Box<ObjectMeta>, why: String },
}

/// What there is to know of an object that is not as its kind defines it.
#[derive(Deserialize)]
struct Named {
    metadata: NamedMeta,
}

/// `ObjectMeta` itself may be what cannot be read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedMeta {
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    resource_version: Option<String>,
}

impl<'de, K: DeserializeOwned + Prune> Deserialize<'de> for Readable<K> {
    /// Only from JSON text. The text is kept until the object is read, and not a tree of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let error = match serde_json::from_str::<K>(text.get()) {
            Ok(object) => return Ok(Readable::Object(object.prune())),
            Err(error) => error,
        };
        let Ok(Named { metadata }) = serde_json::from_str(text.get()) else {
            return Err(D::Error::custom(format!("an object without a name: {error}")));
        };
        let NamedMeta { name, namespace, resource_version } = metadata;
        let metadata = ObjectMeta { name: Some(name), namespace, resource_version, ..ObjectMeta::default() };
        Ok(Readable::Unreadable { metadata: Box::new(metadata), why: error.to_string() })
    }
}

impl<K: Resource> Resource for Readable<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &K::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &K::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &K::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &K::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Readable::Object(object) => object.meta(),
            Readable::Unreadable { metadata, .. } => metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Readable::Object(object) => object.meta_mut(),
            Readable::Unreadable { metadata, .. } => metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Service;
    use kube::core::{ObjectList, WatchEvent};

    #[test]
    fn one_object_that_cannot_be_read_does_not_cost_the_others_of_its_page() {
        let page = r#"{"kind": "ServiceList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [
            {"metadata": {"name": "a", "namespace": "shop", "resourceVersion": "7"}, "spec": {"ports": "many"}},
            {"metadata": {"name": "b", "namespace": "shop", "resourceVersion": "8"}, "spec": {"type": "ClusterIP"}}]}"#;
        let page: ObjectList<Readable<Service>> = serde_json::from_str(page).expect("a page");
        let Readable::Unreadable { metadata, why } = &page.items[0] else { panic!("{:?}", page.items) };
        assert_eq!(metadata.name.as_deref(), Some("a"));
        assert_eq!(metadata.resource_version.as_deref(), Some("7"));
        assert!(why.contains("invalid type: string \"many\""), "{why}");
        assert!(matches!(&page.items[1], Readable::Object(service) if service.spec.is_some()));
    }

    #[test]
    fn an_event_about_an_object_that_cannot_be_read_still_names_it() {
        let event = r#"{"type": "MODIFIED", "object": {"metadata": {"name": "a", "resourceVersion": "7"}, "spec": 1}}"#;
        let event: WatchEvent<Readable<Service>> = serde_json::from_str(event).expect("an event");
        let WatchEvent::Modified(object) = event else { panic!("{event:?}") };
        assert_eq!(object.meta().name.as_deref(), Some("a"));
    }
}
