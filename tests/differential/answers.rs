//! Answers that a route gives by itself or changes: redirects, CORS, what endpoints say of places and cookies. The same
//! requests through us with the annotations of ingress-nginx, and through nginx with what ingress-nginx writes of them. What it
//! does in Lua stands here as maps, and stands last, as Lua runs behind the directives that decide where a request goes.

mod asked;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use compile::{EndpointSlices, ObjectKey, Objects, Profile, Settings};
use model::RouteTable;
use serde_json::{Value, json};
use system_tests::message::Reader;
use system_tests::{Message, Upstream};

use self::asked::{CASES, Case};
use crate::gates::{Folder, Gate, Nginx, Ours};

/// An upstream whose answers have the fields that a request asks for, with bars between them.
fn upstream() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let fields = request.field("probe").unwrap_or_default().replace('|', "\r\n");
            let end = if fields.is_empty() { "" } else { "\r\n" };
            let answer =
                format!("HTTP/1.1 200 OK\r\nX-Endpoint: reached\r\nContent-Length: 0\r\n{fields}{end}\r\n");
            if peer.send(answer).is_err() {
                return;
            }
        }
    })
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    fields: BTreeMap<String, Vec<String>>,
}

impl Seen {
    /// Without what differs from one server to the next; of a refusal, what its text is written in.
    fn of(answer: &Message) -> Seen {
        let status = answer.status();
        let mut fields = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &answer.fields {
            let is_own = ["connection", "content-length", "date", "server"].contains(&&**name)
                || (name == "content-type" && status >= 400);
            if !is_own {
                fields.entry(name.clone()).or_default().push(value.clone());
            }
        }
        Seen { status, fields }
    }
}

fn ask(gate: &dyn Gate, request: &str) -> Seen {
    let mut stream = gate.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = Reader::default();
    let mut answer = reader.head(&mut stream).unwrap();
    reader.body(&mut stream, &mut answer, !request.starts_with("HEAD")).unwrap();
    Seen::of(&answer)
}

/// The table that comes of one Ingress with these annotations.
fn table(case: &Case, upstream: SocketAddr) -> RouteTable {
    fn object<K: serde::de::DeserializeOwned>(value: Value) -> Arc<K> {
        Arc::new(serde_json::from_value(value).unwrap())
    }
    let mut objects = Objects::default();
    let key = ObjectKey::new("shop", "web");
    let ports = json!([{"port": 80, "targetPort": upstream.port()}]);
    let metadata = json!({"name": "web", "namespace": "shop"});
    objects.services.insert(key.clone(), object(json!({"metadata": metadata, "spec": {"ports": ports}})));
    objects.endpoint_slices = EndpointSlices::default();
    let labels = json!({"kubernetes.io/service-name": "web"});
    let slice = json!({
        "metadata": {"name": "web", "namespace": "shop", "labels": labels}, "addressType": "IPv4",
        "ports": [{"port": upstream.port()}], "endpoints": [{"addresses": [upstream.ip()]}]
    });
    objects.endpoint_slices.insert(key.clone(), object(slice));
    let annotations: BTreeMap<String, &str> = case
        .annotations
        .iter()
        .map(|(name, value)| (format!("nginx.ingress.kubernetes.io/{name}"), *value))
        .collect();
    let metadata = json!({"name": "web", "namespace": "shop", "annotations": annotations});
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let spec = json!({
        "ingressClassName": "sluicegate", "tls": [{"hosts": ["shop.example"]}],
        "rules": [{"host": "shop.example", "http": {"paths": paths}}]
    });
    objects.ingresses.insert(key, object(json!({"metadata": metadata, "spec": spec})));
    let settings =
        Settings { allow_loopback: true, profile: Some(Profile::IngressNginx), ..Settings::default() };
    compile::compile(&objects, &settings, 2).table
}

fn servers(case: &Case, upstream: SocketAddr) -> String {
    let Case { location, lua, .. } = case;
    format!(
        "default_type text/html; server_name_in_redirect off; port_in_redirect off;
    map $request_uri $bare {{ '~^(?<bare_uri>.*)/$' $bare_uri; default $request_uri; }}
    map $http_host $best_name {{ '~^(?<name>[^:]*)' $name; }}
    server {{
        listen unix:nginx.sock;
        location / {{
            {location}
            {lua}
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
        }}
    }}"
    )
}

#[test]
fn answers_that_a_route_gives_or_changes_are_those_of_nginx() {
    let (ours, theirs) = (upstream(), upstream());
    let mut surprises = String::new();
    for case in CASES {
        let folder = Folder::new(&format!("answers-{}", case.name));
        let nginx = Nginx::serving(&folder, &servers(case, theirs.address));
        let gate = Ours::routing(table(case, ours.address));
        for request in case.requests {
            let (ours, theirs) = (ask(&gate, request), ask(&nginx, request));
            if ours != theirs {
                surprises += &format!("{}: {request:?}\n  ours: {ours:?}\n nginx: {theirs:?}\n", case.name);
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}
