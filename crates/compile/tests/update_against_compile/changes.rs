//! Random changes of what an update may concern: EndpointSlices and DNS answers.

use std::net::IpAddr;
use std::sync::Arc;

use compile::{ObjectKey, Objects, SERVICE_NAME_LABEL};
use fastrand::Rng;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::{Value, json};

use crate::world::{DNS_NAMES, NAMESPACES, SERVICES, pick, read};

/// More endpoints than an object may have problems.
const MANY: usize = 60;

pub(crate) enum Change {
    Slice(ObjectKey, Arc<EndpointSlice>),
    /// The slice stays as it is, but for the Service it belongs to.
    Label(ObjectKey, Option<&'static str>),
    Gone(ObjectKey),
    Answer(&'static str, Option<Result<Vec<IpAddr>, String>>),
}

impl Change {
    pub(crate) fn random(random: &mut Rng) -> Change {
        let key = ObjectKey::new(pick(random, &NAMESPACES), format!("slice-{}", random.u8(..6)));
        match random.u8(..12) {
            0..=5 => Change::Slice(key, read(slice(random))),
            6..=7 => Change::Label(key, service(random)),
            8..=9 => Change::Gone(key),
            _ => Change::Answer(pick(random, &DNS_NAMES), answer(random)),
        }
    }

    /// Makes the change; returns the Services whose endpoints it may concern.
    pub(crate) fn apply(self, objects: &mut Objects) -> Vec<ObjectKey> {
        let slices = &mut objects.endpoint_slices;
        match self {
            Change::Slice(key, slice) => {
                let old = slices.insert(key.clone(), Arc::clone(&slice));
                old.iter().chain([&slice]).filter_map(|slice| service_of(&key, slice)).collect()
            }
            Change::Label(key, service) => {
                let Some(old) = slices.get(&key) else { return Vec::new() };
                let mut slice = EndpointSlice::clone(old);
                slice.metadata.labels = service.map(|name| [(SERVICE_NAME_LABEL.into(), name.into())].into());
                Change::Slice(key, Arc::new(slice)).apply(objects)
            }
            Change::Gone(key) => {
                slices.remove(&key).and_then(|slice| service_of(&key, &slice)).into_iter().collect()
            }
            Change::Answer(name, answer) => {
                match answer {
                    Some(answer) => objects.resolved.insert(name.into(), answer),
                    None => objects.resolved.remove(name),
                };
                let named = |service: &_| compile::external_name_of(service).as_deref() == Some(name);
                let services = objects.services.iter().filter(|(_, service)| named(service));
                services.map(|(key, _)| key.clone()).collect()
            }
        }
    }
}

/// The Service that a slice belongs to.
pub(crate) fn service_of(key: &ObjectKey, slice: &EndpointSlice) -> Option<ObjectKey> {
    compile::service_of(slice).map(|service| ObjectKey::new(&*key.namespace, service))
}

fn service(random: &mut Rng) -> Option<&'static str> {
    (random.u8(..8) > 0).then(|| pick(random, &SERVICES))
}

fn slice(random: &mut Rng) -> Value {
    let family = pick(random, &["IPv4", "IPv4", "IPv4", "IPv4", "IPv6", "FQDN", "Mixed"]);
    let all = [
        json!({ "name": "http", "port": pick(random, &[8080, 8080, 8081, 0, 70000]) }),
        json!({ "name": "admin", "port": pick(random, &[9090, 9090, 70000]) }),
        json!({ "port": 8080 }),
        json!({ "name": "http", "port": 8080, "protocol": "UDP" }),
    ];
    let ports: Vec<Value> = all.into_iter().filter(|_| random.u8(..3) > 0).collect();
    let endpoints: Vec<Value> = match random.u8(..12) {
        0 => (0..MANY).map(|_| json!({ "addresses": ["169.254.0.1"] })).collect(),
        _ => (0..random.usize(..4)).map(|_| endpoint(random)).collect(),
    };
    let labels = service(random).map(|name| json!({ SERVICE_NAME_LABEL: name }));
    json!({
        "metadata": { "labels": labels },
        "addressType": family,
        "ports": ports,
        "endpoints": endpoints
    })
}

fn endpoint(random: &mut Rng) -> Value {
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "127.0.0.1", "169.254.169.254", "none"];
    let conditions = match random.u8(..4) {
        0 => json!({ "ready": false }),
        1 => json!({ "ready": false, "serving": true, "terminating": true }),
        _ => json!({}),
    };
    let target = (random.u8(..2) > 0).then(|| json!({ "uid": pick(random, &["p", "q"]) }));
    json!({ "addresses": [pick(random, &addresses)], "conditions": conditions, "targetRef": target })
}

fn answer(random: &mut Rng) -> Option<Result<Vec<IpAddr>, String>> {
    let addresses = ["10.0.0.1", "10.0.0.2", "fd00::1", "127.0.0.1", "169.254.169.254"];
    match random.u8(..6) {
        0 => None,
        1 => Some(Err(pick(random, &["no such name", "timed out"]).into())),
        _ => {
            let count = random.usize(..3);
            Some(Ok((0..count).map(|_| pick(random, &addresses).parse().expect("an address")).collect()))
        }
    }
}
