//! Whole applications, written for ingress-nginx as their charts and manuals write them, and the requests that make them work.
//!
//! Each file of `applications/manifests` has what an application brings, and a document of kind `Requests`: what is told of its
//! objects (`told`, by annotation or field), and requests with what becomes of them. `get: https://…` means that the load
//! balancer in front has ended TLS and says so. All of them are served by one process, and each Service by an endpoint that
//! answers with what it got.

pub(crate) mod endpoint;
mod request;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Folder, Gate};
pub(crate) use request::Request;

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/whole_process/applications/manifests");

const CLASS: &str = "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: \
                     {controller: k8s.io/ingress-nginx}}";

/// An application.
struct Application {
    name: String,
    /// Its objects, as they are written.
    text: String,
    services: Vec<Value>,
    told: BTreeSet<String>,
    requests: Vec<Request>,
}

impl Application {
    fn read(path: &Path) -> Application {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        let mut documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let asked = documents.pop().filter(|last| last["kind"] == "Requests");
        let asked = asked.unwrap_or_else(|| panic!("{name}: the last document is not of kind Requests"));
        let told = asked["told"].as_array().into_iter().flatten();
        let told = told.map(|field| field.as_str().expect("an annotation or a field").into()).collect();
        let requests = asked["requests"].as_array().into_iter().flatten().map(Request::read).collect();
        let services = documents.into_iter().filter(|document| document["kind"] == "Service").collect();
        let text = text[..text.rfind("---\nkind: Requests").expect("a document of its own")].to_owned();
        Application { name, text, services, told, requests }
    }

    /// The annotations and fields of which something is told, each without its prefix.
    fn is_told(&self, problems: &[Value]) -> BTreeSet<String> {
        let own = problems.iter().filter(|problem| problem["namespace"] == *self.name);
        own.map(|problem| {
            let field = problem["field"].as_str().unwrap_or_default();
            let annotation =
                field.strip_prefix("metadata.annotations[").and_then(|rest| rest.strip_suffix(']'));
            let word = annotation.and_then(|name| name.rsplit('/').next()).unwrap_or(field);
            word.to_owned()
        })
        .collect()
    }
}

fn applications() -> Vec<Application> {
    let mut files: Vec<_> = fs::read_dir(MANIFESTS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| Application::read(file)).collect()
}

#[test]
fn whole_applications_written_for_ingress_nginx_work() {
    let applications = applications();
    let folder = Folder::new(&[("class.yaml", CLASS.to_owned())]);
    for Application { name, text, services, .. } in &applications {
        let slices = services.iter().flat_map(|service| slices(name, service));
        let slices: Vec<String> = slices.map(|slice| format!("---\n{slice}\n")).collect();
        folder.write(&format!("{name}.yaml"), &format!("{text}\n{}", slices.concat()));
    }
    let gate = Gate::start(&folder, &["--class", "nginx", "--trusted-proxies", "127.0.0.0/8"]);
    let problems = gate.json("/problems")["problems"].as_array().unwrap().clone();
    let mut wrong = Vec::new();
    for application in &applications {
        let told = application.is_told(&problems);
        if told != application.told {
            wrong.push(format!("{}: told {told:?}, not {:?}", application.name, application.told));
        }
        for request in &application.requests {
            let differences = request.send(gate.http).err().into_iter().flatten();
            wrong.extend(differences.map(|one| format!("{}: {}: {one}", application.name, request.line)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} applications:\n{}",
        wrong.len(),
        applications.len(),
        wrong.join("\n")
    );
}

/// An EndpointSlice for each port of a Service, with an endpoint that runs.
pub(crate) fn slices(namespace: &str, service: &Value) -> Vec<Value> {
    let name = service["metadata"]["name"].as_str().expect("a name");
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let is_external = service["spec"]["type"] == "ExternalName";
    let slice = |port: &Value| {
        let number = &port["port"];
        let endpoint = endpoint::start(format!("{name}:{number}")).port();
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": format!("{name}-{number}"),
                "namespace": namespace,
                "labels": { "kubernetes.io/service-name": name },
            },
            "addressType": "IPv4",
            "ports": [{ "name": port["name"], "port": endpoint }],
            "endpoints": [{ "addresses": ["127.0.0.1"], "conditions": { "ready": true } }],
        })
    };
    ports.filter(|_| !is_external).map(slice).collect()
}
