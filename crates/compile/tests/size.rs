//! A large cluster compiles in time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use compile::{ObjectKey, Objects, Settings};
use serde_json::json;

const HOSTS: usize = 10_000;
const PATHS: usize = 5;
/// One second is what a user may wait for an edit in the largest cluster; without optimisation ten times that.
const TIME_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

/// Each host has its own Ingress, and each path its own Service with a slice: nothing may be looked for twice.
#[test]
fn ten_thousand_hosts_of_five_paths_compile_in_time() {
    let mut objects = Objects::default();
    for host in 0..HOSTS {
        add_host(&mut objects, host);
    }
    let start = Instant::now();
    let compiled = compile::compile(&objects, &Settings::default(), 1);
    let taken = start.elapsed();
    println!("{HOSTS} hosts x {PATHS} paths: {taken:?}");
    assert_eq!(
        (compiled.table.routes().len(), compiled.table.backends().len()),
        (HOSTS * PATHS, HOSTS * PATHS)
    );
    assert!(compiled.table.backends().iter().all(|backend| backend.usable().len() == 1));
    assert_eq!(*compiled.problems, []);
    assert!(taken < TIME_MAX, "{taken:?}");
}

fn add_host(objects: &mut Objects, host: usize) {
    let service = |path| format!("web-{host}-{path}");
    let paths: Vec<_> = (0..PATHS)
        .map(|path| {
            let backend = json!({ "service": { "name": service(path), "port": { "number": 80 } } });
            json!({ "path": format!("/path/{path}"), "pathType": "Prefix", "backend": backend })
        })
        .collect();
    let rules = json!([{ "host": format!("host-{host}.example"), "http": { "paths": paths } }]);
    let ingress = json!({ "metadata": {}, "spec": { "ingressClassName": "sluicegate", "rules": rules } });
    objects.ingresses.insert(ObjectKey::new("shop", format!("web-{host}")), read(ingress));
    for path in 0..PATHS {
        let ports = json!([{ "name": "http", "port": 80 }]);
        let key = ObjectKey::new("shop", service(path));
        objects.services.insert(key.clone(), read(json!({ "metadata": {}, "spec": { "ports": ports } })));
        let slice = json!({
            "metadata": { "labels": { "kubernetes.io/service-name": service(path) } },
            "addressType": "IPv4",
            "endpoints": [{ "addresses": ["10.0.0.1"] }],
            "ports": [{ "name": "http", "port": 8080 }],
        });
        objects.endpoint_slices.insert(key, read(slice));
    }
}

fn read<T: serde::de::DeserializeOwned>(object: serde_json::Value) -> Arc<T> {
    Arc::new(serde_json::from_value(object).expect("an object"))
}
