//! What an operator, a probe and a scraper see, over a real socket.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "pages/connections.rs"]
mod connections;
#[path = "pages/routes.rs"]
mod routes;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use admin::{Command, Pages, Sources, State};
use lifecycle::{Phase, Readiness, Trigger, Waiting, drain::drain};
use model::{
    Backend, BackendKey, Condition, Conditions, Endpoint, EndpointKey, Filters, HostMatch, ObjectRef, Origin,
    PathMatch, Pattern, Policy, Problem, Published, RequestCondition, RequestFilter, ResponseFilter, Retry,
    Route, RouteTable, RouteTableBuilder, Severity, Share, Split, SplitRule, Target, Timeouts, ValueMatch,
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
    let (problems, port_problems) = (Published::new(vec![problem]), Published::new(Vec::new()));
    let metrics = Box::new(|| "sluicegate_routes 1\n".to_owned());
    let state = Box::new(|| State { pid: 7, phase: "serving", connections: 3, ..State::default() });
    let explain = Box::new(|query: &str| match query {
        "" => Err("write url=".to_owned()),
        query => Ok(format!("route for {query}\n")),
    });
    let (live, no_routes) = (routes.clone(), Published::new(None));
    let told = no_routes.clone();
    let sources = Arc::new(Sources {
        readiness,
        routes: live,
        problems,
        port_problems,
        no_routes: told,
        state,
        explain,
        metrics,
    });
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
async fn the_live_page_may_load_nothing_from_elsewhere_and_all_that_it_names_is_there() {
    let admin = start().await;
    let ask =
        async |path: &str| exchange(admin.address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    let page = ask("/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("content-type: text/html"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{page}");
    assert!(
        !page.contains("http://") && !page.contains("https://") || page.contains("https://shop.example.com"),
        "{page}"
    );
    for file in ["/ui/page.css", "/ui/main.js", "/ui/data.js", "/ui/list.js", "/ui/verdict.js"] {
        let answer = ask(file).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("nosniff"), "{file}: {answer}");
    }
}

#[tokio::test]
async fn a_request_is_explained_or_the_query_is_refused() {
    let admin = start().await;
    for (path, status, text) in [
        ("/explain?url=a.com/", "200 OK", "route for url=a.com/"),
        ("/explain", "400 Bad Request", "write url="),
    ] {
        let answer = exchange(admin.address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(text), "{answer}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_told_the_known_ones() {
    let admin = start().await;
    let (status, page) = get(admin.address, "/nope").await;
    let paths = json!([
        "/live",
        "/ready",
        "/healthz",
        "/state",
        "/metrics",
        "/routes",
        "/endpoints",
        "/problems",
        "/explain",
        "/"
    ]);
    assert_eq!((status, &page["paths"]), (404, &paths));
}

#[tokio::test]
async fn a_load_balancer_sees_health_and_nothing_else() {
    let mut admin = start().await;
    for path in ["/ready", "/healthz"] {
        assert_eq!(get(admin.health, path).await.0, 503, "{path}");
    }
    admin.waiting.take().unwrap().done();
    for path in ["/ready", "/live", "/healthz"] {
        assert_eq!(get(admin.health, path).await.0, 200, "{path}");
    }
    for path in ["/metrics", "/routes", "/state", "/drain"] {
        let (status, page) = get(admin.health, path).await;
        assert_eq!((status, &page["paths"]), (404, &json!(["/live", "/ready", "/healthz"])), "{path}");
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
