//! What endpoints are told of clients, through us with the ConfigMap of ingress-nginx and through nginx with what ingress-nginx
//! writes of it: the same fields with the same values, and no others.

mod asked;
mod nginx;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use compile::Settings;
use model::RouteTable;
use serde_json::{Value, json};
use system_tests::message::Reader;
use system_tests::{Message, PATIENCE, Upstream};

use self::asked::{REQUESTS, SETTINGS, Setting};
use crate::gates::{Folder, Gate, Nginx, Ours};
use crate::shop;

/// Some of it is not for clients.
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: secret\r\nX-Pad: a\r\nX-Own: b\r\n\r\n";

/// An upstream that tells of each request's fields.
fn upstream() -> (Upstream, Receiver<Fields>) {
    let (tell, told) = channel();
    let upstream = Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            let _ = tell.send(fields(&request));
            if peer.send(ANSWER).is_err() {
                return;
            }
        }
    });
    (upstream, told)
}

type Fields = BTreeMap<String, Vec<String>>;

/// Without what differs from one run to the next: ours listens on a port, and nginx on a socket. And without nginx' name, which
/// ingress-nginx clears with a module of its own.
fn fields(message: &Message) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in &message.fields {
        let is_made =
            name == "x-request-id" && value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
        let value = if is_made { "made".into() } else { value.replace("unix:", "127.0.0.1") };
        if (&**name, &*value) != ("server", "nginx") {
            fields.entry(name.clone()).or_default().push(value);
        }
    }
    fields
}

/// The table that comes of one Ingress and these settings.
fn table(settings: &[(&str, &str)], upstream: SocketAddr) -> RouteTable {
    let mut objects = shop::service(upstream);
    let data: BTreeMap<&str, &str> = settings.iter().copied().collect();
    let metadata = json!({"name": "web", "namespace": "shop"});
    objects.config_maps.insert(shop::key(), shop::object(json!({"metadata": metadata, "data": data})));
    let no_annotations: [(&str, &str); 0] = [];
    shop::add_ingress(&mut objects, None, no_annotations, Value::Null);
    let settings = Settings { config_map: Some(shop::key()), ..shop::settings() };
    compile::compile(&objects, &settings, 2).table
}

/// The fields of the answer, and of what arrived.
fn ask(gate: &dyn Gate, arrived: &Receiver<Fields>, request: &str) -> (Fields, Fields) {
    let mut stream = gate.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = Reader::default();
    let mut answer = reader.head(&mut stream).unwrap();
    reader.body(&mut stream, &mut answer, true).unwrap();
    let mut answer = fields(&answer);
    answer.retain(|name, _| !["connection", "content-length", "date"].contains(&&**name));
    (answer, arrived.recv_timeout(PATIENCE).unwrap())
}

#[test]
fn endpoints_are_told_what_ingress_nginx_tells_them() {
    let mut surprises = String::new();
    for Setting { name, keys, config } in SETTINGS {
        let ((ours, arrived_ours), (theirs, arrived_theirs)) = (upstream(), upstream());
        let folder = Folder::new(&format!("edge-{name}"));
        let nginx = Nginx::serving(&folder, &nginx::servers(config, theirs.address));
        let gate = Ours::routing(table(keys, ours.address));
        for request in REQUESTS {
            let ours = ask(&gate, &arrived_ours, request);
            let theirs = ask(&nginx, &arrived_theirs, request);
            if ours != theirs {
                surprises += &format!("{name}: {request:?}\n  ours: {ours:?}\n nginx: {theirs:?}\n");
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}
