//! The hosts that DNS is to know, and from where their clients come.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use compile::{HostScheme, ObjectKey, Objects, Settings, compile, reasons};
use k8s_openapi::api::networking::v1::Ingress;
use model::FrontendScheme::{Internal, InternetFacing};
use serde_json::json;

/// An Ingress of this age with one host, and annotations about its scheme.
fn add(objects: &mut Objects, name: &str, age: u32, host: &str, annotations: &[(&str, &str)]) {
    let annotations: serde_json::Map<_, _> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let backend = json!({ "service": { "name": "web", "port": { "number": 80 } } });
    let ingress: Ingress = serde_json::from_value(json!({
        "metadata": {
            "namespace": "shop", "name": name, "annotations": annotations,
            "creationTimestamp": format!("2026-01-{:02}T00:00:00Z", 28 - age),
        },
        "spec": {
            "ingressClassName": "sluicegate",
            "rules": [{ "host": host, "http": { "paths": [
                { "path": format!("/{name}"), "pathType": "Prefix", "backend": backend }
            ] } }],
        },
    }))
    .unwrap();
    objects.ingresses.insert(ObjectKey::new("shop", name), Arc::new(ingress));
}

const OURS: &str = "sluicegate.io/frontend-scheme";
const FEEDS: &str = "sky.uk/frontend-scheme";
const FEEDS_OLDER: &str = "sky.uk/frontend-elb-scheme";

#[test]
fn the_scheme_of_a_host_is_read_in_our_word_before_feeds_and_in_its_newer_before_its_older() {
    let mut objects = Objects::default();
    add(&mut objects, "a", 0, "a.example.com", &[(OURS, "internal"), (FEEDS, "internet-facing")]);
    add(&mut objects, "b", 0, "b.example.com", &[(FEEDS_OLDER, "internal"), (FEEDS, "internet-facing")]);
    add(&mut objects, "c", 0, "*.example.com", &[(FEEDS_OLDER, "internal")]);
    add(&mut objects, "d", 0, "d.example.com", &[]);
    add(&mut objects, "e", 0, "e.example.com", &[(OURS, "inside")]);
    let compiled = compile(&objects, &Settings::default(), 1);
    let mut found: Vec<_> = compiled.hosts.iter().map(|one| (one.host.to_string(), one.scheme)).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("*.example.com", HostScheme::Known(Internal)),
        ("a.example.com", HostScheme::Known(Internal)),
        ("b.example.com", HostScheme::Known(InternetFacing)),
        ("d.example.com", HostScheme::Unsaid),
        ("e.example.com", HostScheme::Unreadable),
    ];
    assert_eq!(found, expected.map(|(host, scheme)| (host.to_owned(), scheme)));
    let told =
        compiled.problems.iter().find(|problem| problem.reason == reasons::INVALID_ANNOTATION).unwrap();
    assert!(told.object.name == "e" && told.remedy == "write internal or internet-facing", "{told}");
}

#[test]
fn of_ingresses_that_say_different_schemes_of_a_host_the_oldest_is_believed_and_the_other_is_told() {
    let mut objects = Objects::default();
    add(&mut objects, "young", 1, "a.example.com", &[(OURS, "internal")]);
    add(&mut objects, "old", 9, "a.example.com", &[(OURS, "internet-facing")]);
    add(&mut objects, "silent", 20, "a.example.com", &[]);
    let compiled = compile(&objects, &Settings::default(), 1);
    let [host] = &**compiled.hosts else { panic!("{:?}", compiled.hosts) };
    assert_eq!((host.scheme, &*host.object.name), (HostScheme::Known(InternetFacing), "old"));
    let told: Vec<_> =
        compiled.problems.iter().filter(|problem| problem.reason == reasons::CONFLICT).collect();
    assert!(
        told.len() == 1 && told[0].object.name == "young" && told[0].message.contains("shop/old"),
        "{told:?}"
    );
}
