//! Random Ingresses and Services, with slices and DNS answers to begin with.

use std::sync::Arc;
use std::time::Duration;

use compile::{ObjectKey, Objects, Settings};
use fastrand::Rng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::changes::Change;

pub(crate) const NAMESPACES: [&str; 2] = ["m", "n"];
/// `ghost` never exists.
pub(crate) const SERVICES: [&str; 4] = ["web", "api", "db", "ghost"];
/// As requests have them; the empty one is no host.
pub(crate) const HOSTS: [&str; 3] = ["a.x", "b.x", ""];
pub(crate) const PATHS: [&str; 3] = ["/", "/p", "/p/q"];
pub(crate) const DNS_NAMES: [&str; 2] = ["one.example", "two.example"];

const INGRESSES_MAX: usize = 5;
const PATHS_PER_INGRESS_MAX: usize = 5;
const CHANGES_AT_FIRST_MAX: usize = 24;

pub(crate) fn random(random: &mut Rng) -> (Objects, Settings) {
    let mut objects = Objects::default();
    for at in 0..random.usize(..=INGRESSES_MAX) {
        let key = ObjectKey::new(pick(random, &NAMESPACES), format!("ingress-{at}"));
        objects.ingresses.insert(key, read(ingress(random)));
    }
    for key in all_services().into_iter().filter(|key| key.name != "ghost") {
        if random.u8(..8) > 0 {
            objects.services.insert(key, read(service(random)));
        }
    }
    for _ in 0..random.usize(..=CHANGES_AT_FIRST_MAX) {
        Change::random(random).apply(&mut objects);
    }
    let reference_timeout = Duration::ZERO;
    (objects, Settings { allow_loopback: random.bool(), reference_timeout, ..Settings::default() })
}

pub(crate) fn all_services() -> Vec<ObjectKey> {
    let of = |namespace: &'static str| SERVICES.map(|service| ObjectKey::new(namespace, service));
    NAMESPACES.into_iter().flat_map(of).collect()
}

pub(crate) fn pick<T: Clone>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())].clone()
}

pub(crate) fn read<T: DeserializeOwned>(object: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(object).expect("an object of this kind"))
}

fn ingress(random: &mut Rng) -> Value {
    let rule = |random: &mut Rng| {
        let (host, path) = (pick(random, &HOSTS), pick(random, &PATHS));
        let path = json!({ "path": path, "pathType": "Prefix", "backend": backend(random) });
        json!({ "host": host, "http": { "paths": [path] } })
    };
    let rules: Vec<Value> = (0..random.usize(..=PATHS_PER_INGRESS_MAX)).map(|_| rule(&mut *random)).collect();
    let class = if random.u8(..6) == 0 { "other" } else { "sluicegate" };
    let mut ingress = json!({ "metadata": {}, "spec": { "ingressClassName": class, "rules": rules } });
    if random.u8(..3) == 0 {
        ingress["spec"]["defaultBackend"] = backend(random);
    }
    if random.u8(..8) == 0 {
        let annotation = pick(random, &["auth-url", "canary"]);
        let annotations = json!({ format!("nginx.ingress.kubernetes.io/{annotation}"): "true" });
        ingress["metadata"]["annotations"] = annotations;
    }
    ingress["spec"]["tls"] = json!([{ "secretName": pick(random, &["one", "two"]) }]);
    ingress
}

fn backend(random: &mut Rng) -> Value {
    let port = match random.u8(..12) {
        0 => json!({ "number": 81 }),
        1 => json!({ "name": "nameless" }),
        2 => json!({}),
        3..=6 => json!({ "name": pick(random, &["http", "admin"]) }),
        _ => json!({ "number": pick(random, &[80, 90]) }),
    };
    json!({ "service": { "name": pick(random, &SERVICES), "port": port } })
}

fn service(random: &mut Rng) -> Value {
    let all = [
        json!({ "name": "http", "port": 80 }),
        json!({ "name": "admin", "port": 90 }),
        json!({ "name": "http", "port": 80, "protocol": "UDP" }),
        json!({ "port": 80 }),
    ];
    let ports: Vec<Value> = all.into_iter().filter(|_| random.u8(..3) > 0).collect();
    let mut spec = json!({ "ports": ports });
    if random.u8(..3) == 0 {
        let name = if random.u8(..6) == 0 { "localhost" } else { pick(random, &DNS_NAMES) };
        spec["type"] = json!("ExternalName");
        spec["externalName"] = json!(format!("{}.", name.to_uppercase()));
    }
    json!({ "metadata": {}, "spec": spec })
}
