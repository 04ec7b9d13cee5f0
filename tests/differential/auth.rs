//! Which requests may use a route: the same requests through us with the annotations of ingress-nginx, and through nginx with
//! what ingress-nginx writes of them. What is compared is the answer, what the server is asked that has a word in it, and what
//! reaches the endpoint.

mod asked;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use compile::ObjectKey;
use model::RouteTable;
use serde_json::{Value, json};
use system_tests::message::Reader;
use system_tests::{Message, Upstream};

use self::asked::{CASES, Case, PASSWORDS};
use crate::gates::{Folder, Gate, Nginx, Ours};
use crate::shop;

/// What of heads is compared: of addresses and ids each proxy has its own, and Connection is each one's own affair.
const IN_ANSWERS: [&str; 4] = ["location", "set-cookie", "www-authenticate", "x-endpoint"];
const NOT_IN_REQUESTS: [&str; 10] = [
    "connection",
    "forwarded",
    "te",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-original-url",
    "x-real-ip",
    "x-request-id",
];

type Fields = BTreeMap<String, Vec<String>>;

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    fields: Fields,
    asked: Vec<(String, Fields)>,
    arrived: Vec<(String, Fields)>,
}

/// A server that writes down what it is asked, and answers with the status and the fields that a field of the request has.
struct Server {
    upstream: Upstream,
    asked: Arc<Mutex<Vec<(String, Fields)>>>,
}

impl Server {
    fn start(field: &'static str) -> Server {
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let log = Arc::clone(&asked);
        let upstream = Upstream::scripted(move |peer| {
            while let Ok(request) = peer.request() {
                let answer = request.field(field).unwrap_or_else(|| "200".into()).replace('|', "\r\n");
                let kept = |name: &str| !NOT_IN_REQUESTS.contains(&name);
                log.lock().unwrap().push((start(&request), fields(&request, kept)));
                let (status, more) = answer.split_once("\r\n").unwrap_or((&answer, ""));
                let end = if more.is_empty() { "" } else { "\r\n" };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nX-Endpoint: {field}\r\nContent-Length: 0\r\n{more}{end}\r\n"
                );
                if peer.send(answer).is_err() {
                    return;
                }
            }
        });
        Server { upstream, asked }
    }

    fn take(&self) -> Vec<(String, Fields)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Method and target: nginx asks in the version that is left to it.
fn start(request: &Message) -> String {
    request.start.rsplit_once(' ').map_or("", |(start, _)| start).to_owned()
}

fn fields(message: &Message, kept: impl Fn(&str) -> bool) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in message.fields.iter().filter(|(name, _)| kept(name)) {
        fields.entry(name.clone()).or_default().push(value.clone());
    }
    fields
}

fn ask(gate: &dyn Gate, server: &Server, origin: &Server, request: &str) -> Seen {
    let mut stream = gate.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = Reader::default();
    let mut answer = reader.head(&mut stream).unwrap();
    reader.body(&mut stream, &mut answer, !request.starts_with("HEAD")).unwrap();
    let fields = fields(&answer, |name| IN_ANSWERS.contains(&name));
    Seen { status: answer.status(), fields, asked: server.take(), arrived: origin.take() }
}

/// The table that comes of one Ingress with these annotations.
fn table(case: &Case, server: SocketAddr, origin: SocketAddr) -> RouteTable {
    let mut objects = shop::service(origin);
    let metadata = json!({"name": "passwords", "namespace": "shop"});
    let secret = json!({"metadata": metadata, "stringData": {"auth": PASSWORDS}});
    objects.secrets.insert(ObjectKey::new("shop", "passwords"), shop::object(secret));
    let server = server.to_string();
    let annotations = case.annotations.iter().map(|(name, value)| (*name, value.replace("SERVER", &server)));
    shop::add_ingress(&mut objects, Some("shop.example"), annotations, Value::Null);
    let compiled = compile::compile(&objects, &shop::settings(), 2);
    assert!(compiled.problems.is_empty(), "{}: {:?}", case.name, compiled.problems);
    compiled.table
}

fn servers(case: &Case, server: SocketAddr, origin: SocketAddr) -> String {
    let Case { location, server: beside, question, target, .. } = case;
    let target = target.replace("SERVER", &server.to_string());
    format!(
        "default_type text/html;
    server {{
        listen unix:nginx.sock;
        location = /_external-auth {{
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length \"\";
            proxy_set_header X-Forwarded-Proto \"\";
            proxy_set_header Host 127.0.0.1;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Sent-From \"nginx-ingress-controller\";
            proxy_http_version 1.1;
            {question}
            set $target \"{target}\";
            proxy_pass $target;
        }}
        {beside}
        location / {{
            {location}
            proxy_pass http://{origin};
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Scheme $scheme;
            proxy_set_header X-Forwarded-Scheme $scheme;
        }}
    }}"
    )
}

#[test]
fn which_requests_may_use_a_route_is_what_nginx_says() {
    let (ours, our_server) = (Server::start("probe"), Server::start("word"));
    let (theirs, their_server) = (Server::start("probe"), Server::start("word"));
    let mut surprises = String::new();
    for case in CASES {
        let folder = Folder::new(&format!("auth-{}", case.name));
        fs::write(folder.path().join("passwords"), PASSWORDS).unwrap();
        let servers = servers(case, their_server.upstream.address, theirs.upstream.address);
        let nginx = Nginx::serving(&folder, &servers);
        let gate = Ours::routing(table(case, our_server.upstream.address, ours.upstream.address));
        for request in case.requests {
            let request = &format!("{request}\r\n\r\n");
            let ours = ask(&gate, &our_server, &ours, request);
            let theirs = ask(&nginx, &their_server, &theirs, request);
            if ours != theirs {
                surprises += &format!("{}: {request:?}\n  ours: {ours:?}\n nginx: {theirs:?}\n", case.name);
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}
