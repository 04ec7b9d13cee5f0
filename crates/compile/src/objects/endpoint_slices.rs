//! The EndpointSlices, by their own name and by the Service they belong to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::ObjectKey;

/// The label that says which Service of its namespace a slice belongs to.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// The name of the Service that a slice belongs to. A slice without the label belongs to none.
pub fn service_of(slice: &EndpointSlice) -> Option<&str> {
    slice.metadata.labels.as_ref()?.get(SERVICE_NAME_LABEL).map(String::as_str)
}

/// All EndpointSlices. Those of a Service are kept together, so that it costs no walk over all of them to find its
/// own.
#[derive(Clone, Debug, Default)]
pub struct EndpointSlices {
    all: BTreeMap<ObjectKey, Arc<EndpointSlice>>,
    /// By namespace and name of the Service; a Service that has none has no entry.
    by_service: HashMap<String, HashMap<String, Joined>>,
}

/// The slices of a Service, in the order of their names.
type Joined = Vec<(ObjectKey, Arc<EndpointSlice>)>;

impl EndpointSlices {
    /// Takes a slice as it is now; returns what it was before. It moves to the Service that its label names.
    pub fn insert(&mut self, key: ObjectKey, slice: Arc<EndpointSlice>) -> Option<Arc<EndpointSlice>> {
        let old = self.remove(&key);
        if let Some(service) = service_of(&slice) {
            let joined = self.joined_mut(&key.namespace, service);
            let (Ok(at) | Err(at)) = place(joined, &key);
            joined.insert(at, (key.clone(), Arc::clone(&slice)));
        }
        self.all.insert(key, slice);
        old
    }

    /// Forgets a slice; returns what it was.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Arc<EndpointSlice>> {
        let old = self.all.remove(key)?;
        if let Some(service) = service_of(&old) {
            self.leave(key, service);
        }
        Some(old)
    }

    /// The slice of this name.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<EndpointSlice>> {
        self.all.get(key)
    }

    /// The slices of a Service, in the order of their names. A look-up, however many there are of others.
    pub fn of(
        &self,
        namespace: &str,
        service: &str,
    ) -> impl Iterator<Item = (&ObjectKey, &Arc<EndpointSlice>)> + Clone {
        let joined = self.by_service.get(namespace).and_then(|services| services.get(service));
        joined.into_iter().flatten().map(|(key, slice)| (key, slice))
    }

    /// All slices, in the order of their namespaces and names.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<EndpointSlice>)> {
        self.all.iter()
    }

    /// How many slices there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no slice.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn joined_mut(&mut self, namespace: &str, service: &str) -> &mut Joined {
        self.by_service.entry(namespace.into()).or_default().entry(service.into()).or_default()
    }

    /// Services and namespaces come and go for as long as the process lives: what is empty is not kept.
    fn leave(&mut self, key: &ObjectKey, service: &str) {
        let joined = self.joined_mut(&key.namespace, service);
        if let Ok(at) = place(joined, key) {
            joined.remove(at);
        }
        if joined.is_empty()
            && let Some(services) = self.by_service.get_mut(&key.namespace)
        {
            services.remove(service);
            if services.is_empty() {
                self.by_service.remove(&key.namespace);
            }
        }
    }
}

/// Where the slice of this name is, or belongs.
fn place(joined: &Joined, key: &ObjectKey) -> Result<usize, usize> {
    joined.binary_search_by(|(other, _)| other.cmp(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(service: Option<&str>) -> Arc<EndpointSlice> {
        let mut slice = EndpointSlice::default();
        slice.metadata.labels = service.map(|name| [(SERVICE_NAME_LABEL.into(), name.into())].into());
        Arc::new(slice)
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn names(slices: &EndpointSlices, service: &str) -> Vec<String> {
        slices.of("shop", service).map(|(key, _)| key.name.clone()).collect()
    }

    #[test]
    fn the_slices_of_a_service_come_in_the_order_of_their_names() {
        let mut slices = EndpointSlices::default();
        for name in ["b", "c", "a"] {
            slices.insert(key(name), slice(Some("web")));
        }
        slices.insert(key("other"), slice(Some("api")));
        slices.insert(ObjectKey::new("blog", "a"), slice(Some("web")));
        assert_eq!(names(&slices, "web"), ["a", "b", "c"]);
        assert_eq!(slices.len(), 5);
    }

    #[test]
    fn a_slice_whose_label_changes_moves_to_the_other_service() {
        let mut slices = EndpointSlices::default();
        slices.insert(key("a"), slice(Some("web")));
        let old = slices.insert(key("a"), slice(Some("api")));
        assert_eq!(old.as_deref().and_then(service_of), Some("web"));
        assert_eq!((names(&slices, "web"), names(&slices, "api")), (vec![], vec!["a".to_string()]));
    }

    #[test]
    fn a_slice_without_the_label_belongs_to_no_service() {
        let mut slices = EndpointSlices::default();
        slices.insert(key("a"), slice(Some("web")));
        slices.insert(key("a"), slice(None));
        assert!(names(&slices, "web").is_empty() && slices.get(&key("a")).is_some());
    }

    #[test]
    fn nothing_is_kept_of_slices_that_are_gone() {
        let mut slices = EndpointSlices::default();
        slices.insert(key("a"), slice(Some("web")));
        slices.insert(key("a"), slice(Some("api")));
        assert!(slices.remove(&key("a")).is_some() && slices.remove(&key("a")).is_none());
        assert!(slices.is_empty() && slices.by_service.is_empty());
    }
}
