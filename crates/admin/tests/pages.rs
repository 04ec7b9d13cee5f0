//! What an operator, a probe and a scraper see, over a real socket.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use admin::{Command, Pages, Sources, State};
use lifecycle::{Phase, Readiness, Trigger, Waiting, drain::drain};
use model::{
    Backend, BackendKey, Condition, Conditions, Endpoint, EndpointKey, Filters, HostMatch, ObjectRef, Origin,
    PathMatch, Pattern, Policy, Problem, Published, RequestCondition, RequestFilter, ResponseFilter, Route,
    RouteTable, RouteTableBuilder, Severity, Share, Split, SplitRule, Target, ValueMatch,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running admin listener, one for load balancers, and the ends that move what they show.
struct Admin {
    address: SocketAddr,
    health: SocketAddr,
    trigger: Trigger,
    waiting: Option<Waiting>,
    routes: Published<RouteTable>,
    no_routes: Published<Option<Arc<str>>>,
    sources: Arc<Sources>,
}

async fn start() -> Admin {
    let (listener, for_balancers) = (bind().await, bind().await);
    let (address, health) = (listener.local_addr().unwrap(), for_balancers.local_addr().unwrap());
    let (trigger, watch) = drain();
    let readiness = Readiness::new(watch);
    let waiting = Some(readiness.register("route table"));
    let routes = Published::new(table(7));
    let problem = Problem {
        object: ObjectRef::new("Ingress", "shop", "broken"),
        field: "spec.rules[0]".into(),
        severity: Severity::Error,
        reason: "bad-host",
        message: "the host is wrong".into(),
        remedy: "write another".into(),
    };
    let problems = Published::new(vec![problem]);
    let metrics = Box::new(|| "sluicegate_routes 1\n".to_owned());
    let state = Box::new(|| State { pid: 7, phase: "serving", connections: 3, ..State::default() });
    let (live, no_routes) = (routes.clone(), Published::new(None));
    let told = no_routes.clone();
    let sources = Arc::new(Sources { readiness, routes: live, problems, no_routes: told, state, metrics });
    tokio::spawn(admin::serve(listener, Pages::All, Arc::clone(&sources)));
    tokio::spawn(admin::serve(for_balancers, Pages::Health, Arc::clone(&sources)));
    Admin { address, health, trigger, waiting, routes, no_routes, sources }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn table(generation: u64) -> RouteTable {
    table_with(generation, Policy::default())
}

fn table_with(generation: u64, policy: Policy) -> RouteTable {
    let key = BackendKey {
        namespace: "shop".into(),
        service: "web".into(),
        port: "http".into(),
        transport: Arc::default(),
    };
    let endpoint = |address: &str, condition| Endpoint {
        key: EndpointKey { address: address.parse().unwrap(), uid: "pod-1".into() },
        condition,
    };
    let mut builder = RouteTableBuilder::default();
    let endpoints =
        vec![endpoint("10.0.0.1:80", Condition::Ready), endpoint("10.0.0.2:80", Condition::Terminating)];
    let backend = builder.backend(&key, || Backend::new(key.clone(), endpoints));
    for (name, created) in [("old", 1), ("young", 2)] {
        builder.route(Route {
            host: HostMatch::parse("*.example.com").unwrap(),
            path: PathMatch::prefix("/cart").unwrap(),
            conditions: Conditions::default(),
            target: Target::Backend(backend),
            policy: Arc::new(policy.clone()),
            origin: Origin {
                created,
                ..Origin::new(ObjectRef::new("Ingress", "shop", name), "spec.rules[0].http.paths[1]")
            },
        });
    }
    builder.build(generation)
}

/// Sends bytes and reads to the end: each connection carries one answer.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("an answer").unwrap();
    String::from_utf8(answer).unwrap()
}

async fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let answer = exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn ready_names_what_it_waits_for_and_a_draining_process_is_live_but_not_ready() {
    let mut admin = start().await;
    let waits = |what: &str| (503, json!({ "ready": false, "waiting_for": [what] }));
    assert_eq!(get(admin.address, "/ready").await, waits("route table"));
    admin.waiting.take().unwrap().done();
    assert_eq!(get(admin.address, "/ready").await, (200, json!({ "ready": true, "waiting_for": [] })));
    admin.trigger.advance(Phase::Draining);
    assert_eq!(get(admin.address, "/ready").await, waits("drain"));
    assert_eq!(get(admin.address, "/live").await.0, 200);
}

#[tokio::test]
async fn ready_says_why_there_are_no_routes_to_operators_alone_and_is_ready_all_the_same() {
    let mut admin = start().await;
    admin.waiting.take().unwrap().done();
    admin.no_routes.publish(Some("no routes: there is no Ingress".into()));
    let (status, told) = get(admin.address, "/ready").await;
    assert_eq!((status, &told["no_routes"]), (200, &json!("no routes: there is no Ingress")));
    assert_eq!(get(admin.health, "/ready").await, (200, json!({ "ready": true, "waiting_for": [] })));
}

#[tokio::test]
async fn routes_show_each_rule_with_its_origin_and_the_rules_that_lost() {
    let admin = start().await;
    let route = |name: &str| {
        json!({
            "host": "*.example.com", "path": "/cart", "pathType": "Prefix", "selection": "ready",
            "backend": { "namespace": "shop", "service": "web", "port": "http" },
            "origin": { "namespace": "shop", "name": name, "field": "spec.rules[0].http.paths[1]" },
            "policy": { "balance": "least-request" },
        })
    };
    let expected = json!({
        "generation": 7, "routes": [route("old")], "conflicts": [{ "lost": route("young"), "won": route("old") }],
    });
    assert_eq!(get(admin.address, "/routes").await, (200, expected));
}

#[tokio::test]
async fn routes_show_their_filters_and_those_that_are_denied_select_no_endpoint() {
    let admin = start().await;
    let headers = ResponseFilter::Headers(Vec::new());
    let filters = Filters::new(vec![RequestFilter::Deny], vec![headers]);
    admin.routes.publish(table_with(8, Policy { filters, ..Policy::default() }));
    let (_, shown) = get(admin.address, "/routes").await;
    let route = &shown["routes"][0];
    assert_eq!((&route["selection"], &route["backend"]["port"]), (&json!("refused"), &json!("http")));
    let policy = json!({ "balance": "least-request", "filters": ["deny", "response-headers"] });
    assert_eq!(route["policy"], policy);
}

#[tokio::test]
async fn routes_show_conditions_and_every_backend_that_may_be_chosen() {
    let admin = start().await;
    let always = ValueMatch::Exact("always".into());
    let condition = RequestCondition::Header { name: "x-canary".into(), value: always };
    let (rule, share) = (SplitRule { condition, backend: 0 }, Share { backend: 0, weight: 2 });
    let split = Split::new(vec![rule], vec![share]).unwrap();
    let mut builder = RouteTableBuilder::default();
    let old = table(7);
    let backend = &**old.backend_at(0);
    builder.backend(&backend.key, || backend.clone());
    builder.route(Route {
        path: PathMatch::Pattern(Pattern::of_path("/v[0-9]+", true).unwrap()),
        conditions: Conditions::new(vec![RequestCondition::Method("GET".into())]),
        target: Target::Split(Box::new(split)),
        ..(*old.routes()[0]).clone()
    });
    admin.routes.publish(builder.build(8));
    let (_, shown) = get(admin.address, "/routes").await;
    let backend = json!({ "namespace": "shop", "service": "web", "port": "http" });
    let split = json!({
        "rules": [{ "condition": "header x-canary = always", "backend": backend, "selection": "ready" }],
        "shares": [{ "weight": 2, "backend": backend, "selection": "ready" }],
        "total": 2,
    });
    let route = &shown["routes"][0];
    assert_eq!((&route["split"], &route["backend"]), (&split, &Value::Null));
    assert_eq!(route["conditions"], json!(["method GET"]));
    assert_eq!((&route["path"], &route["pathType"]), (&json!("/v[0-9]+"), &json!("Pattern")));
}

#[tokio::test]
async fn endpoints_show_their_condition_and_whether_they_take_requests_in_the_newest_generation() {
    let admin = start().await;
    admin.routes.publish(table(8));
    let endpoint = |address: &str, condition: &str, takes: bool| json!({ "address": address, "uid": "pod-1", "condition": condition, "takesRequests": takes });
    let expected = json!({ "generation": 8, "backends": [{
        "namespace": "shop", "service": "web", "port": "http", "protocol": "http", "selection": "ready",
        "endpoints": [endpoint("10.0.0.1:80", "ready", true), endpoint("10.0.0.2:80", "terminating", false)],
    }]});
    assert_eq!(get(admin.address, "/endpoints").await, (200, expected));
}

#[tokio::test]
async fn problems_name_object_field_and_remedy() {
    let admin = start().await;
    let expected = json!({ "problems": [{
        "severity": "error", "kind": "Ingress", "namespace": "shop", "name": "broken", "file": null,
        "field": "spec.rules[0]", "reason": "bad-host", "message": "the host is wrong", "remedy": "write another",
    }]});
    assert_eq!(get(admin.address, "/problems").await, (200, expected));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let admin = start().await;
    let answer = exchange(admin.address, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nsluicegate_routes 1\n"), "{answer}");
}

#[tokio::test]
async fn an_unknown_path_is_told_the_known_ones() {
    let admin = start().await;
    let (status, page) = get(admin.address, "/nope").await;
    let paths = json!(["/live", "/ready", "/state", "/metrics", "/routes", "/endpoints", "/problems"]);
    assert_eq!((status, &page["paths"]), (404, &paths));
}

#[tokio::test]
async fn a_load_balancer_sees_health_and_nothing_else() {
    let mut admin = start().await;
    assert_eq!(get(admin.health, "/ready").await.0, 503);
    admin.waiting.take().unwrap().done();
    assert_eq!((get(admin.health, "/ready").await.0, get(admin.health, "/live").await.0), (200, 200));
    for path in ["/metrics", "/routes", "/state", "/drain"] {
        let (status, page) = get(admin.health, path).await;
        assert_eq!((status, &page["paths"]), (404, &json!(["/live", "/ready"])), "{path}");
    }
}

#[tokio::test]
async fn state_tells_where_the_process_stands() {
    let admin = start().await;
    let expected = json!({
        "pid": 7, "phase": "serving", "reasons": [], "letGo": false, "connections": 3, "requests": 0,
        "upgradeFailed": null,
    });
    assert_eq!(get(admin.address, "/state").await, (200, expected));
}

#[tokio::test]
async fn only_the_control_socket_takes_commands_and_only_by_post() {
    let admin = start().await;
    assert_eq!(get(admin.address, "/drain").await.0, 404);
    let (commands, mut asked) = admin::command_channel();
    let control = bind().await;
    let address = control.local_addr().unwrap();
    tokio::spawn(admin::serve(control, Pages::Control(commands), admin.sources));
    let post =
        async |path: &str| exchange(address, &format!("POST {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    assert_eq!(get(address, "/drain").await.0, 405);
    assert!(post("/state").await.starts_with("HTTP/1.1 405 "));
    assert!(asked.try_recv().is_err(), "nothing was asked yet");
    let operator = async {
        let done = asked.recv().await.unwrap();
        assert_eq!(done.command, Command::Drain);
        done.answer.send(Ok("draining".into())).unwrap();
        let refused = asked.recv().await.unwrap();
        assert_eq!(refused.command, Command::Upgrade);
        refused.answer.send(Err("no --handover".into())).unwrap();
    };
    let visitor = async { (post("/drain").await, post("/upgrade").await) };
    let ((done, refused), ()) = tokio::join!(visitor, operator);
    assert!(done.starts_with("HTTP/1.1 200 ") && done.contains("draining"), "{done}");
    assert!(refused.starts_with("HTTP/1.1 409 ") && refused.contains("no --handover"), "{refused}");
}

#[tokio::test]
async fn only_get_and_head_are_answered_and_odd_requests_do_no_harm() {
    let admin = start().await;
    let post = exchange(admin.address, "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi").await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
    let head = exchange(admin.address, "HEAD /routes HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    for odd in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "\u{0}\u{1}\r\n\r\n",
        "GET /%zz HTTP/9.9\r\n\r\n",
    ] {
        exchange(admin.address, &format!("{odd}GET x\r\n\r\n")).await;
    }
    assert_eq!(get(admin.address, "/live").await.0, 200);
}

#[tokio::test]
async fn a_client_that_never_speaks_blocks_no_probe() {
    let admin = start().await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(admin.address).await.unwrap());
    }
    assert_eq!(get(admin.address, "/live").await.0, 200);
}

#[tokio::test]
async fn a_full_house_of_silent_clients_is_cleared_by_the_head_timeout() {
    let admin = start().await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(admin.address).await.unwrap());
    }
    let started = std::time::Instant::now();
    assert_eq!(get(admin.address, "/live").await.0, 200);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}
