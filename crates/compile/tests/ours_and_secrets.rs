//! Which Ingresses are ours, and which Secrets they name.

use compile::{Compiled, ObjectKey, Objects, Settings};
use serde_json::{Value, json};

/// Compiles Ingresses of these namespaces and names, with these specs.
fn compiled<const N: usize>(ingresses: [(&str, &str, Value); N]) -> Compiled {
    let mut objects = Objects::default();
    for (namespace, name, spec) in ingresses {
        let ingress = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).expect("an Ingress");
        objects.ingresses.insert(ObjectKey::new(namespace, name), std::sync::Arc::new(ingress));
    }
    compile::compile(&objects, &Settings::default(), 1)
}

fn of_class(class: &str, secrets: &[&str]) -> Value {
    let tls: Vec<Value> = secrets.iter().map(|name| json!({ "secretName": name })).collect();
    json!({ "ingressClassName": class, "tls": tls })
}

#[test]
fn ingresses_of_our_class_are_ours_even_if_nothing_of_them_is_served() {
    let compiled = compiled([
        ("shop", "b", of_class("sluicegate", &[])),
        ("shop", "other", of_class("nginx", &[])),
        ("shop", "unclaimed", json!({})),
        ("blog", "a", json!({ "ingressClassName": "sluicegate", "rules": [{ "host": "no host" }] })),
    ]);
    assert_eq!(compiled.ours, [ObjectKey::new("blog", "a"), ObjectKey::new("shop", "b")]);
    assert!(compiled.table.routes().is_empty());
}

#[test]
fn secrets_are_those_that_our_ingresses_name_in_their_own_namespace() {
    let compiled = compiled([
        ("shop", "a", of_class("sluicegate", &["one", "two", ""])),
        ("shop", "b", of_class("sluicegate", &["two"])),
        ("blog", "a", of_class("sluicegate", &["one"])),
        ("shop", "other", of_class("nginx", &["theirs"])),
    ]);
    let named = [("blog", "one"), ("shop", "one"), ("shop", "two")];
    assert_eq!(compiled.secrets, named.map(|(namespace, name)| ObjectKey::new(namespace, name)).into());
}

#[test]
fn secrets_for_endpoints_are_those_that_annotations_name() {
    let ingress = |annotations: Value| {
        let spec = of_class("sluicegate", &["one"]);
        serde_json::from_value(json!({ "metadata": { "annotations": annotations }, "spec": spec }))
            .expect("an Ingress")
    };
    let key = ObjectKey::new("shop", "a");
    for (annotations, named) in [
        (json!({ "sluicegate.io/backend-tls-secret": "two" }), &["one", "two"][..]),
        (json!({ "nginx.ingress.kubernetes.io/proxy-ssl-secret": "shop/two" }), &["one", "two"]),
        (json!({ "nginx.ingress.kubernetes.io/proxy-ssl-secret": "bank/two" }), &["one"]),
        (json!({ "nginx.ingress.kubernetes.io/proxy-ssl-name": "two" }), &["one"]),
    ] {
        let found = compile::secrets_of(&key, &ingress(annotations.clone()), &Settings::default());
        let named = named.iter().map(|name| ObjectKey::new("shop", *name)).collect();
        assert_eq!(found, named, "{annotations}");
        let mut objects = Objects::default();
        objects.ingresses.insert(key.clone(), std::sync::Arc::new(ingress(annotations)));
        assert_eq!(compile::compile(&objects, &Settings::default(), 1).secrets, named);
    }
}
