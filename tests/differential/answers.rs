//! Answers that a route gives by itself or changes: redirects, CORS, what endpoints say of places and cookies. The same
//! requests through us with the annotations of ingress-nginx, and through nginx with what ingress-nginx writes of them. What it
//! does in Lua stands here as maps, and stands last, as Lua runs behind the directives that decide where a request goes.

mod asked;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;

use model::RouteTable;
use serde_json::json;
use system_tests::message::Reader;
use system_tests::{Message, Upstream};

use self::asked::{CASES, Case, SNIPPETS};
use crate::gates::{Folder, Gate, Nginx, Ours};
use crate::shop;

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
pub(crate) fn table(annotations: &[(&str, &str)], upstream: SocketAddr) -> RouteTable {
    let mut objects = shop::service(upstream);
    let tls = json!([{"hosts": ["shop.example"]}]);
    shop::add_ingress(&mut objects, Some("shop.example"), annotations.iter().copied(), tls);
    compile::compile(&objects, &shop::settings(), 2).table
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
    for case in CASES.iter().chain(SNIPPETS) {
        let folder = Folder::new(&format!("answers-{}", case.name));
        let nginx = Nginx::serving(&folder, &servers(case, theirs.address));
        let gate = Ours::routing(table(case.annotations, ours.address));
        for request in case.requests {
            let (ours, theirs) = (ask(&gate, request), ask(&nginx, request));
            if ours != theirs {
                surprises += &format!("{}: {request:?}\n  ours: {ours:?}\n nginx: {theirs:?}\n", case.name);
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}
