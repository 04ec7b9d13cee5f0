//! What a change costs in a large cluster: all compiled anew, and the backends of one Service alone. `cargo bench`

use std::collections::BTreeSet;
use std::sync::Arc;

use compile::{ObjectKey, Objects, SERVICE_NAME_LABEL, Settings, compile};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

/// As many Ingresses of one rule, and as many slices.
const SERVICES: usize = 5_000;
const ENDPOINTS_PER_SERVICE: usize = 10;

criterion_group!(benches, compile_all, update_one);
criterion_main!(benches);

fn compile_all(criterion: &mut Criterion) {
    let (objects, settings) = (objects(), Settings::default());
    let compiled = compile(&objects, &settings, 1);
    assert_eq!((compiled.table.routes().len(), compiled.problems.len()), (SERVICES, 0));
    let mut group = criterion.benchmark_group("slow");
    group.sample_size(10);
    group.bench_function("compile all", |bencher| bencher.iter(|| compile(&objects, &settings, 1)));
}

/// An endpoint comes and goes; what is live is kept by somebody else meanwhile, as it is by the workers.
fn update_one(criterion: &mut Criterion) {
    let (mut objects, settings) = (objects(), Settings::default());
    let mut compiled = compile(&objects, &settings, 1);
    let name = name(SERVICES / 2);
    let services = BTreeSet::from([key(&name)]);
    let slices = [0, 1].map(|less| read(slice(&name, SERVICES / 2, ENDPOINTS_PER_SERVICE - less)));
    let mut next = (2..).zip(slices.iter().rev().cycle());
    let mut live = compiled.table.clone();
    criterion.bench_function("update the backends of one Service", |bencher| {
        let change = || {
            let (generation, slice) = next.next().expect("a cycle has no end");
            (generation, Arc::clone(slice))
        };
        let update = |(generation, slice)| {
            objects.endpoint_slices.insert(key(&name), slice);
            assert!(compiled.update_backends(&objects, &settings, &services, generation));
            live = compiled.table.clone();
        };
        bencher.iter_batched(change, update, BatchSize::PerIteration);
    });
    assert_eq!(live.generation, compiled.table.generation);
}

fn objects() -> Objects {
    let mut objects = Objects::default();
    for at in 0..SERVICES {
        let name = name(at);
        objects.ingresses.insert(key(&name), read(ingress(&name)));
        objects.services.insert(key(&name), read(service()));
        objects.endpoint_slices.insert(key(&name), read(slice(&name, at, ENDPOINTS_PER_SERVICE)));
    }
    objects
}

fn name(at: usize) -> String {
    format!("shop-{at}")
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

fn read<T: DeserializeOwned>(object: Value) -> Arc<T> {
    Arc::new(from_value(object).expect("an object of this kind"))
}

fn ingress(name: &str) -> Value {
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    let rule = json!({ "host": format!("{name}.example.com"), "http": { "paths": [path] } });
    json!({ "metadata": {}, "spec": { "ingressClassName": "sluicegate", "rules": [rule] } })
}

fn service() -> Value {
    json!({ "metadata": {}, "spec": { "ports": [{ "name": "http", "port": 80 }] } })
}

fn slice(service: &str, at: usize, endpoints: usize) -> Value {
    let endpoint = |pod: usize| {
        json!({
            "addresses": [format!("10.{}.{}.{pod}", at / 256, at % 256)],
            "conditions": { "ready": true, "serving": true, "terminating": false },
            "targetRef": { "uid": format!("00000000-0000-4000-8000-{at:08}{pod:04}") }
        })
    };
    json!({
        "metadata": { "labels": { SERVICE_NAME_LABEL: service } },
        "addressType": "IPv4",
        "ports": [{ "name": "http", "port": 8080 }],
        "endpoints": (0..endpoints).map(endpoint).collect::<Vec<_>>()
    })
}
