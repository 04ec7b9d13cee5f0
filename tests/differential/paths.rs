//! Which route a request finds and with which target it is sent, where Ingresses were written for ingress-nginx: through us and
//! through nginx with the configuration that ingress-nginx makes of the same Ingresses, written by hand.
//!
//! Each file of `paths/` has Ingresses, that configuration, and requests. Services are called `s1` to `s4`; the configuration
//! knows them as upstreams of these names.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use compile::{Objects, Profile, Settings};
use serde_json::{Value, json};
use system_tests::Upstream;
use system_tests::message::Reader;

use crate::gates::{Folder, Gate, Nginx, Ours};

const SERVICES: [&str; 4] = ["s1", "s2", "s3", "s4"];

/// A file.
#[derive(Default)]
struct Case {
    name: String,
    ingresses: Vec<Value>,
    servers: String,
    requests: Vec<String>,
    /// Requests that we answer otherwise.
    differences: Vec<String>,
}

/// Status, `Location`, and what the endpoint saw, if one did.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    location: Option<String>,
    seen: Option<String>,
}

#[test]
fn ingresses_that_were_written_for_ingress_nginx_are_served_as_by_its_nginx() {
    let upstreams: Vec<Upstream> = SERVICES.iter().map(|service| echo(service)).collect();
    let mut surprises = String::new();
    for case in cases() {
        let folder = Folder::new(&format!("paths-{}", case.name));
        let (ours, theirs) = (Ours::routing(table(&case, &upstreams)), nginx(&folder, &case, &upstreams));
        for request in &case.requests {
            let (ours, theirs) = (ask(&ours, request), ask(&theirs, request));
            if (ours == theirs) == case.differences.contains(request) {
                surprises += &format!("{}: {request}\n  ours:  {ours:?}\n  nginx: {theirs:?}\n", case.name);
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}

/// Answers what it is called, the target that it was asked for, and the prefix.
fn echo(service: &'static str) -> Upstream {
    Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            let prefix = request.field("x-forwarded-prefix").unwrap_or_default();
            if peer.respond(&format!("{service} {} {prefix}", request.target())).is_err() {
                return;
            }
        }
    })
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/paths");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let cases: Vec<Case> = files.map(|file| read(&file)).collect();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    cases
}

fn read(file: &Path) -> Case {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let mut case = Case { name, ..Case::default() };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for document in documents {
        match text(&document["kind"]).as_str() {
            "Ingress" => case.ingresses.push(document),
            "Nginx" => case.servers = text(&document["servers"]),
            "Requests" => case.requests = document["requests"].as_array().unwrap().iter().map(text).collect(),
            "Differences" => {
                let all = document["differences"].as_array().unwrap().iter();
                case.differences = all.map(|one| text(&one["request"])).collect();
            }
            other => panic!("{}: {other}", file.display()),
        }
    }
    case
}

fn table(case: &Case, upstreams: &[Upstream]) -> model::RouteTable {
    let mut objects = Objects::default();
    for ingress in &case.ingresses {
        let mut ingress = ingress.clone();
        ingress["spec"]["ingressClassName"] = json!("nginx");
        ingress["metadata"]["namespace"] = json!("test");
        let key = compile::ObjectKey::new("test", ingress["metadata"]["name"].as_str().unwrap());
        objects.ingresses.insert(key, Arc::new(serde_json::from_value(ingress).unwrap()));
    }
    for (service, upstream) in SERVICES.iter().zip(upstreams) {
        let (key, port) = (compile::ObjectKey::new("test", *service), upstream.address.port());
        let metadata = json!({
            "name": service, "namespace": "test", "labels": { "kubernetes.io/service-name": service },
        });
        let object =
            json!({ "metadata": metadata, "spec": { "ports": [{ "port": 80, "targetPort": port }] } });
        objects.services.insert(key.clone(), Arc::new(serde_json::from_value(object).unwrap()));
        let slice = json!({
            "metadata": metadata, "addressType": "IPv4", "ports": [{ "port": port }],
            "endpoints": [{ "addresses": ["127.0.0.1"] }],
        });
        objects.endpoint_slices.insert(key, Arc::new(serde_json::from_value(slice).unwrap()));
    }
    let settings = Settings {
        class: "nginx".into(),
        allow_loopback: true,
        profile: Some(Profile::IngressNginx),
        ..Settings::default()
    };
    compile::compile(&objects, &settings, 2).table
}

fn nginx(folder: &Folder, case: &Case, upstreams: &[Upstream]) -> Nginx {
    let upstreams = SERVICES.iter().zip(upstreams);
    let upstreams = upstreams
        .map(|(service, upstream)| format!("upstream {service} {{ server {}; }}\n", upstream.address));
    let set = "server_name_in_redirect off; port_in_redirect off; proxy_http_version 1.1;
    proxy_set_header Connection \"\"; proxy_set_header Host $http_host;\n";
    Nginx::serving(folder, &format!("{set}{}{}", upstreams.collect::<String>(), case.servers))
}

fn ask(gate: &impl Gate, request: &str) -> Outcome {
    let (host, target) = request.split_once(' ').unwrap();
    let (mut stream, mut reader) = (gate.connect(), Reader::default());
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = reader.head(&mut stream).unwrap();
    reader.body(&mut stream, &mut answer, true).unwrap();
    let status = answer.status();
    let seen = (status == 200).then(|| answer.text());
    Outcome { status, location: answer.field("location"), seen }
}
