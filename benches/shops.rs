//! A cluster of many small shops: an Ingress of one rule, a Service and an EndpointSlice for each.

use std::sync::Arc;

use compile::{ObjectKey, Objects, SERVICE_NAME_LABEL};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

/// So many of them, each with these paths and so many endpoints.
pub(crate) fn objects(shops: usize, paths: &[&str], endpoints: usize) -> Objects {
    let mut objects = Objects::default();
    for at in 0..shops {
        let name = name(at);
        objects.ingresses.insert(key(&name), read(ingress(&name, paths)));
        objects.services.insert(key(&name), read(service()));
        objects.endpoint_slices.insert(key(&name), slice(at, endpoints));
    }
    objects
}

/// What the objects of one shop are called.
pub(crate) fn name(at: usize) -> String {
    format!("shop-{at}")
}

/// The key of an object with this name.
pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

/// The slice of one shop, with so many endpoints.
pub(crate) fn slice(at: usize, endpoints: usize) -> Arc<EndpointSlice> {
    let endpoint = |pod: usize| {
        json!({
            "addresses": [format!("10.{}.{}.{pod}", at / 256, at % 256)],
            "conditions": { "ready": true, "serving": true, "terminating": false },
            "targetRef": { "uid": format!("00000000-0000-4000-8000-{at:08}{pod:04}") }
        })
    };
    read(json!({
        "metadata": { "labels": { SERVICE_NAME_LABEL: name(at) } },
        "addressType": "IPv4",
        "ports": [{ "name": "http", "port": 8080 }],
        "endpoints": (0..endpoints).map(endpoint).collect::<Vec<_>>()
    }))
}

fn read<T: DeserializeOwned>(object: Value) -> Arc<T> {
    Arc::new(from_value(object).expect("an object of this kind"))
}

fn ingress(name: &str, paths: &[&str]) -> Value {
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let path = |path: &&str| json!({ "path": path, "pathType": "Prefix", "backend": backend });
    let paths: Vec<Value> = paths.iter().map(path).collect();
    let rule = json!({ "host": format!("{name}.example.com"), "http": { "paths": paths } });
    json!({ "metadata": {}, "spec": { "ingressClassName": "sluicegate", "rules": [rule] } })
}

fn service() -> Value {
    json!({ "metadata": {}, "spec": { "ports": [{ "name": "http", "port": 80 }] } })
}
