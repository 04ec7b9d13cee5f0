//! The three ways in which [`compile::Objects`] keeps objects, as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use compile::{EndpointSlices, ObjectKey};

use super::EndpointSlice;

/// The objects of one kind, by name.
pub(crate) trait Collection<K> {
    fn get(&self, key: &ObjectKey) -> Option<&Arc<K>>;
    fn insert(&mut self, key: ObjectKey, object: Arc<K>);
    fn remove(&mut self, key: &ObjectKey) -> Option<Arc<K>>;
}

/// Objects in namespaces.
impl<K> Collection<K> for BTreeMap<ObjectKey, Arc<K>> {
    fn get(&self, key: &ObjectKey) -> Option<&Arc<K>> {
        self.get(key)
    }

    fn insert(&mut self, key: ObjectKey, object: Arc<K>) {
        self.insert(key, object);
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Arc<K>> {
        self.remove(key)
    }
}

/// Cluster-wide objects.
impl<K> Collection<K> for BTreeMap<String, Arc<K>> {
    fn get(&self, key: &ObjectKey) -> Option<&Arc<K>> {
        self.get(&key.name)
    }

    fn insert(&mut self, key: ObjectKey, object: Arc<K>) {
        self.insert(key.name, object);
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Arc<K>> {
        self.remove(&key.name)
    }
}

impl Collection<EndpointSlice> for EndpointSlices {
    fn get(&self, key: &ObjectKey) -> Option<&Arc<EndpointSlice>> {
        self.get(key)
    }

    fn insert(&mut self, key: ObjectKey, object: Arc<EndpointSlice>) {
        self.insert(key, object);
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Arc<EndpointSlice>> {
        self.remove(key)
    }
}
