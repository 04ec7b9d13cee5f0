//! A shop: one Service with one endpoint, and one Ingress whose every path leads there, read as ingress-nginx reads it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use compile::{EndpointSlices, ObjectKey, Objects, Profile, Settings};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The name of each of its objects.
pub(crate) fn key() -> ObjectKey {
    ObjectKey::new("shop", "web")
}

/// An object as it is written.
pub(crate) fn object<K: DeserializeOwned>(value: Value) -> Arc<K> {
    Arc::new(serde_json::from_value(value).unwrap())
}

/// The Service, with this endpoint.
pub(crate) fn service(endpoint: SocketAddr) -> Objects {
    let mut objects = Objects { endpoint_slices: EndpointSlices::default(), ..Objects::default() };
    let ports = json!([{"port": 80, "targetPort": endpoint.port()}]);
    let metadata = json!({"name": "web", "namespace": "shop"});
    objects.services.insert(key(), object(json!({"metadata": metadata, "spec": {"ports": ports}})));
    let labels = json!({"kubernetes.io/service-name": "web"});
    let slice = json!({
        "metadata": {"name": "web", "namespace": "shop", "labels": labels}, "addressType": "IPv4",
        "ports": [{"port": endpoint.port()}], "endpoints": [{"addresses": [endpoint.ip()]}]
    });
    objects.endpoint_slices.insert(key(), object(slice));
    objects
}

/// Adds the Ingress, for the host if there is one, with these annotations of ingress-nginx and whatever more its spec says.
pub(crate) fn add_ingress(
    objects: &mut Objects,
    host: Option<&str>,
    annotations: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
    tls: Value,
) {
    let named = |(name, value): (_, _)| prefixed(name, value);
    let annotations: BTreeMap<String, String> = annotations.into_iter().map(named).collect();
    let metadata = json!({"name": "web", "namespace": "shop", "annotations": annotations});
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let rules = json!([{"host": host, "http": {"paths": paths}}]);
    let spec = json!({"ingressClassName": "sluicegate", "tls": tls, "rules": rules});
    objects.ingresses.insert(key(), object(json!({"metadata": metadata, "spec": spec})));
}

fn prefixed(name: impl AsRef<str>, value: impl Into<String>) -> (String, String) {
    (format!("nginx.ingress.kubernetes.io/{}", name.as_ref()), value.into())
}

/// By whose rules it is read.
pub(crate) fn settings() -> Settings {
    Settings { allow_loopback: true, profile: Some(Profile::IngressNginx), ..Settings::default() }
}
