//! An API server, or something before it, that answers wrongly.

mod garbage;
mod lists;
mod watches;

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{FakeApi, Gate, Upstream, pod_address, program};

fn ingress(name: &str, service: &str) -> Value {
    let backend = json!({"service": {"name": service, "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let rule = json!({"host": format!("{name}.example"), "http": {"paths": paths}});
    let metadata = json!({"name": name, "namespace": "shop", "uid": name});
    json!({"metadata": metadata, "spec": {"ingressClassName": "sluicegate", "rules": [rule]}})
}

fn service(name: &str) -> Value {
    let metadata = json!({"name": name, "namespace": "shop"});
    json!({"metadata": metadata, "spec": {"ports": [{"name": "http", "port": 80}]}})
}

fn slice(service: &str, endpoint: SocketAddr) -> Value {
    let labels = json!({"kubernetes.io/service-name": service});
    json!({"metadata": {"name": format!("{service}-1"), "namespace": "shop", "labels": labels},
        "addressType": "IPv4", "ports": [{"name": "http", "port": endpoint.port()}],
        "endpoints": [{"addresses": [endpoint.ip().to_string()]}]})
}

/// An API server with the Ingresses `web` and `cart`, and their upstream, which is called `one`.
fn api() -> (FakeApi, Upstream) {
    let (api, one) = (FakeApi::start(), Upstream::at(pod_address(), "one"));
    let class = json!({"metadata": {"name": "sluicegate"}, "spec": {"controller": "sluicegate.io/ingress-controller"}});
    api.put("ingressclasses", class);
    for name in ["web", "cart"] {
        api.put("services", service(name));
        api.put("endpointslices", slice(name, one.address));
        api.put("ingresses", ingress(name, name));
    }
    (api, one)
}

/// The program; it may not be ready for long.
fn gate(api: &FakeApi) -> Gate {
    let mut command = program(&["run", "--no-events", "--kubeconfig"]);
    Gate::run(command.arg(api.kubeconfig()))
}
