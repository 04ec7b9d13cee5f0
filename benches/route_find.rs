//! The route table alone at 10 000 hosts × 5 paths: how long a request looks for its route, and how long it takes to
//! compile the table. `cargo bench`

use std::hint::black_box;
use std::sync::Arc;

use compile::{ObjectKey, Objects, Settings, compile};
use criterion::{Criterion, criterion_group, criterion_main};
use model::{Get, RequestHost, RequestPath, RouteTable};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

const HOSTS: usize = 10_000;
const PATHS: [&str; 5] = ["/", "/api", "/api/v1/orders", "/static", "/admin"];
/// Requests prepared ahead: many enough that their routes do not all stay in the CPU's caches.
const REQUESTS: usize = 100_000;

criterion_group!(benches, find_route, compile_table);
criterion_main!(benches);

fn find_route(criterion: &mut Criterion) {
    let table = compile(&objects(), &Settings::default(), 1).table;
    assert_eq!(table.routes().len(), HOSTS * PATHS.len());
    let requests = requests();
    let parsed: Vec<_> = requests.iter().map(parse).collect();
    let mut next = parsed.iter().cycle();
    criterion.bench_function("find the route", |bencher| {
        bencher.iter(|| next.next().map(|(host, path)| find(&table, black_box(host), black_box(path))));
    });
    let mut next = requests.iter().cycle();
    criterion.bench_function("parse host and path, find the route", |bencher| {
        bencher.iter(|| next.next().map(parse).map(|(host, path)| find(&table, &host, &path)));
    });
    // What is not in normal form has to be brought into it first.
    let odd: Vec<_> = requests.iter().map(|(host, path)| (host.clone(), format!("/x/..{path}%2F"))).collect();
    let mut next = odd.iter().cycle();
    criterion.bench_function("the same with odd spellings of the path", |bencher| {
        bencher.iter(|| next.next().map(parse).map(|(host, path)| find(&table, &host, &path)));
    });
}

fn compile_table(criterion: &mut Criterion) {
    let (objects, settings) = (objects(), Settings::default());
    let mut group = criterion.benchmark_group("slow");
    group.sample_size(10);
    group.bench_function("compile the table", |bencher| bencher.iter(|| compile(&objects, &settings, 1)));
}

fn parse((host, path): &(String, String)) -> (RequestHost<'_>, RequestPath<'_>) {
    (RequestHost::parse(host).expect("a host"), RequestPath::parse(path).expect("a path"))
}

/// Returns something that depends on the outcome.
fn find(table: &RouteTable, host: &RequestHost<'_>, path: &RequestPath<'_>) -> Option<u32> {
    let facts = Get { host: Some(host), path };
    table.find(&facts).expect("a route").target.choose(&facts, |_| 0)
}

fn requests() -> Vec<(String, String)> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut request = || {
        let (host, path) = (random.usize(0..HOSTS), PATHS[random.usize(0..PATHS.len())]);
        (host_name(host), format!("{}/item/{}", path.trim_end_matches('/'), random.u32(..)))
    };
    (0..REQUESTS).map(|_| request()).collect()
}

fn host_name(host: usize) -> String {
    format!("shop-{host}.example.com")
}

/// An Ingress, a Service and an EndpointSlice with two endpoints for each host.
fn objects() -> Objects {
    let mut objects = Objects::default();
    let class = json!({
        "metadata": { "name": "sluicegate" },
        "spec": { "controller": "sluicegate.io/ingress-controller" }
    });
    objects.ingress_classes.insert("sluicegate".into(), read(class));
    for host in 0..HOSTS {
        let name = format!("shop-{host}");
        let key = ObjectKey::new("default", name.as_str());
        objects.ingresses.insert(key.clone(), read(ingress(&name, host)));
        objects.services.insert(key.clone(), read(service(&name)));
        objects.endpoint_slices.insert(key, read(slice(&name, host)));
    }
    objects
}

fn read<T: DeserializeOwned>(object: Value) -> Arc<T> {
    Arc::new(from_value(object).expect("an object of this kind"))
}

fn ingress(name: &str, host: usize) -> Value {
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let path = |path: &&str| json!({ "path": path, "pathType": "Prefix", "backend": backend });
    let paths: Vec<Value> = PATHS.iter().map(path).collect();
    let rule = json!({ "host": host_name(host), "http": { "paths": paths } });
    json!({
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "ingressClassName": "sluicegate", "rules": [rule] }
    })
}

fn service(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }] }
    })
}

fn slice(name: &str, host: usize) -> Value {
    let endpoint = |pod: usize| {
        let address = format!("10.{}.{}.{pod}", host / 256, host % 256);
        json!({ "addresses": [address], "conditions": { "ready": true } })
    };
    json!({
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": { "kubernetes.io/service-name": name }
        },
        "addressType": "IPv4",
        "ports": [{ "name": "http", "port": 8080 }],
        "endpoints": [endpoint(1), endpoint(2)]
    })
}
