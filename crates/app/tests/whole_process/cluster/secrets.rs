//! Secrets that are replaced, come late or cannot be read, where they may be watched and where they may only be read.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{FakeApi, Gate, Handshakes, Issued, Lie, eventually, program};

const HOST: &str = "web.example";

/// Longer than any test waits: what is learnt within it is learnt otherwise.
const NEVER: &str = "1h";

fn secret(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, "data": data})
}

/// Puts the certificate into the Secret `web`.
fn put(api: &FakeApi, issued: &Issued) {
    // What an API server gives has its data in base64; this one gives what it was given.
    let [chain, key] = [&issued.chain, &issued.key].map(|pem| base64(pem.as_bytes()));
    api.put("secrets", secret("web", &json!({"tls.crt": chain, "tls.key": key})));
}

fn base64(bytes: &[u8]) -> Value {
    let bytes = k8s_openapi::ByteString(bytes.to_vec());
    serde_json::to_value(bytes).unwrap()
}

fn ingress(name: &str, host: &str, secret: &str) -> Value {
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name}, "spec": {
        "ingressClassName": "sluicegate", "tls": [{"hosts": [host], "secretName": secret}],
        "rules": [{"host": host, "http": {"paths": paths}}]}})
}

/// An API server with one Ingress, which names the Secret `web`.
fn api() -> FakeApi {
    let api = FakeApi::start();
    api.put(
        "ingressclasses",
        json!({"metadata": {"name": "sluicegate"}, "spec": {"controller": "sluicegate.io/ingress-controller"}}),
    );
    api.put(
        "services",
        json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}),
    );
    api.put("ingresses", ingress("web", HOST, "web"));
    api
}

fn gate(api: &FakeApi, interval: &str, grace: &str) -> Gate {
    let mut command = program(&["run", "--no-events", "--https", "127.0.0.1:0"]);
    command.args(["--secret-read-interval", interval, "--secret-grace-period", grace]);
    Gate::run(command.arg("--kubeconfig").arg(api.kubeconfig())).ready()
}

/// How often the Secret `web` was read.
fn reads(api: &FakeApi) -> usize {
    api.asked(|ask| ask.is_of("secrets", "web"))
}

/// Waits until it was read some times more.
fn is_read_again(api: &FakeApi, times: usize) {
    let before = reads(api);
    eventually("the Secret is read", || (reads(api) >= before + times).then_some(()));
}

/// Whether it reports the Secret as missing.
fn misses_it(gate: &Gate) -> bool {
    gate.has_problem("stale-certificate", "") || gate.has_problem("dangling-reference", "Secret")
}

fn is_replaced(may_watch: bool, interval: &str) {
    let (api, one, two) = (api(), Issued::to(HOST), Issued::to(HOST));
    api.let_watch_secrets(may_watch);
    put(&api, &one);
    let gate = gate(&api, interval, "1h");
    one.comes_to_be_served(gate.https());
    let handshakes = Handshakes::start(gate.https(), &[&one, &two]);
    if may_watch {
        eventually("a watch", || (api.asked(|ask| ask.is_watch_of("secrets")) > 0).then_some(()));
    }
    api.delete("secrets", "shop", "web");
    // It was asked for after it was deleted, and for want of it.
    is_read_again(&api, 2 - usize::from(may_watch));
    handshakes.go_on();
    assert!(one.is_served(gate.https()) && !misses_it(&gate), "{}", gate.page("/problems").1);
    put(&api, &two);
    two.comes_to_be_served(gate.https());
    handshakes.end();
    let log = gate.log();
    assert!(!log.contains("does not exist") && !log.contains("orbidden"), "{log}");
}

#[test]
fn a_secret_that_is_deleted_and_created_again_costs_no_handshake_where_it_is_read() {
    is_replaced(false, "1s");
}

#[test]
fn a_secret_that_is_deleted_and_created_again_costs_no_handshake_where_it_is_watched() {
    is_replaced(true, NEVER);
}

#[test]
fn a_secret_that_stays_deleted_is_missed_after_the_grace_period_and_its_certificate_is_served_on() {
    for may_watch in [false, true] {
        let (api, one, two) = (api(), Issued::to(HOST), Issued::to(HOST));
        api.let_watch_secrets(may_watch);
        put(&api, &one);
        let gate = gate(&api, "1s", "2s");
        one.comes_to_be_served(gate.https());
        let handshakes = Handshakes::start(gate.https(), &[&one, &two]);
        api.delete("secrets", "shop", "web");
        gate.tells("stale-certificate", "stays in use");
        assert!(one.is_served(gate.https()));
        put(&api, &two);
        two.comes_to_be_served(gate.https());
        handshakes.end();
        eventually("that nothing is missed", || (!misses_it(&gate)).then_some(()));
    }
}

#[test]
fn a_secret_that_comes_after_its_ingress_is_served_soon_after() {
    for may_watch in [false, true] {
        let (api, one) = (api(), Issued::to(HOST));
        api.let_watch_secrets(may_watch);
        let gate = gate(&api, NEVER, "10s");
        gate.tells("dangling-reference", "shop/web, which does not exist");
        put(&api, &one);
        one.comes_to_be_served(gate.https());
        eventually("that nothing is missed", || (!misses_it(&gate)).then_some(()));
    }
}

#[test]
fn what_was_read_last_is_served_while_the_api_server_refuses_fails_hangs_or_talks_nonsense() {
    let (api, one, two) = (api(), Issued::to(HOST), Issued::to(HOST));
    put(&api, &one);
    let gate = gate(&api, "1s", "1s");
    one.comes_to_be_served(gate.https());
    let handshakes = Handshakes::start(gate.https(), &[&one, &two]);
    let lies: [fn() -> Lie; 8] = [
        || Lie::refusal(403, "Forbidden"),
        || Lie::refusal(401, "Unauthorized"),
        || Lie::refusal(429, "TooManyRequests"),
        || Lie::refusal(500, "InternalError"),
        || Lie::Status(404, "404 page not found".into()),
        || Lie::Status(200, "<html>".into()),
        || Lie::Cut("{\"kind\": \"Secret\"".into()),
        || Lie::Close,
    ];
    for lie in lies {
        api.lie(move |ask| (ask.kind == "secrets").then(lie));
        is_read_again(&api, 2);
        handshakes.go_on();
        assert!(one.is_served(gate.https()), "{}", gate.log());
    }
    api.lie(|ask| (ask.kind == "secrets").then_some(Lie::Late(Duration::from_secs(3600))));
    is_read_again(&api, 1);
    handshakes.go_on();
    assert!(one.is_served(gate.https()), "{}", gate.log());
    api.be_honest();
    put(&api, &two);
    two.comes_to_be_served(gate.https());
    handshakes.end();
}

#[test]
fn the_right_to_watch_is_used_when_it_is_given_and_not_missed_when_it_is_taken() {
    let (api, one, two, three) = (api(), Issued::to(HOST), Issued::to(HOST), Issued::to(HOST));
    put(&api, &one);
    let gate = gate(&api, "1s", "10s");
    one.comes_to_be_served(gate.https());
    let handshakes = Handshakes::start(gate.https(), &[&one, &two, &three]);
    let watched = |secrets: f64| gate.metric("sluicegate_secrets{followed_by=\"watch\"}") == Some(secrets);
    assert!(watched(0.0) && api.asked(|ask| ask.is_watch_of("secrets")) == 0, "not even tried");

    api.let_watch_secrets(true);
    within_two_reviews(|| watched(1.0));
    put(&api, &two);
    two.comes_to_be_served(gate.https());

    api.let_watch_secrets(false);
    api.end_watches();
    within_two_reviews(|| watched(0.0));
    put(&api, &three);
    three.comes_to_be_served(gate.https());
    handshakes.end();
    let told = |what: &str| gate.log().matches(what).count();
    within_two_reviews(|| told("may only be read by name") > 1);
    assert_eq!((told("may only be read by name"), told("may be watched")), (2, 1), "{}", gate.log());
}

/// Waits, with patience for the half minute after which rights are asked for again.
fn within_two_reviews(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !condition() {
        assert!(Instant::now() < deadline, "not within two reviews of the rights");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn many_secrets_are_read_a_few_at_a_time_and_spread_over_the_interval() {
    const SECRETS: usize = 200;
    let api = api();
    for number in 0..SECRETS {
        let name = format!("s-{number}");
        api.put("secrets", secret(&name, &json!({"tls.crt": "YQ==", "tls.key": "YQ=="})));
        api.put("ingresses", ingress(&name, &format!("{name}.example"), &name));
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&asked);
    api.lie(move |ask| {
        if ask.kind == "secrets" {
            times.lock().unwrap().push(Instant::now());
        }
        None
    });
    let _gate = gate(&api, "10s", "10s");
    // Each once at the start, and about twice more.
    let deadline = Instant::now() + Duration::from_secs(120);
    while asked.lock().unwrap().len() < 3 * SECRETS {
        assert!(Instant::now() < deadline, "{}", asked.lock().unwrap().len());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Not the lock itself, which the API server would wait for.
    let asked = asked.lock().unwrap().clone();
    let later = &asked[SECRETS + SECRETS / 4..];
    let in_a_second = |from: &Instant| {
        later.iter().filter(|at| **at >= *from && **at < *from + Duration::from_secs(1)).count()
    };
    let most = later.iter().map(in_a_second).max().unwrap();
    assert!(most < SECRETS / 2, "{most} of {SECRETS} in one second of ten");
    assert!(api.busiest() <= 16, "{} at a time", api.busiest());
}
