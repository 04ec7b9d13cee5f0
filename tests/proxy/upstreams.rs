//! Endpoints: which one gets a request, what happens to their connections when they come and go, and what a client is
//! told when none answers.

mod answers;
mod leaving;
mod proxied;
mod refused;
mod retries;
mod silent;
mod verified;

use std::time::Duration;

use model::{Balance, Condition, Policy};
use system_tests::{Client, Deaf, Gate, PATIENCE, Sluice, Upstream, eventually, sluice};

const CONNECTS: &str = "sluicegate_upstream_connects_total";

/// Asks this many times on one connection and returns the answers' bodies.
fn ask(sluice: &Sluice, times: usize) -> Vec<String> {
    let mut client = Client::connect(sluice.address);
    (0..times).map(|_| client.get("/").text()).collect()
}

fn count(answers: &[String], body: &str) -> usize {
    answers.iter().filter(|answer| *answer == body).count()
}

#[test]
fn a_removed_endpoint_loses_its_idle_connections_at_once() {
    let (gone, stays) = (Upstream::answering("gone"), Upstream::answering("stays"));
    let sluice = Sluice::start(&[gone.address]);
    ask(&sluice, 1);
    sluice.publish(&[sluice::ready(stays.address)]);
    // An idle connection would otherwise be kept for longer than is waited here.
    assert!(proxy::Config::default().upstream.idle_timeout > PATIENCE);
    eventually("the upstream sees the end", || gone.ended() == 1);
}

#[test]
fn a_removed_endpoint_loses_its_idle_connections_while_a_request_is_still_in_flight() {
    let gate = Gate::default();
    let passed = gate.clone();
    let gone = Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            if request.target() == "/slow" {
                passed.pass();
            }
            let _ = peer.respond("gone");
        }
    });
    let sluice = Sluice::start(&[gone.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/slow");
    eventually("the request is in flight", || gone.requests() == 1);
    ask(&sluice, 1);
    sluice.publish(&[]);
    eventually("the idle connection is closed", || gone.ended() == 1);
    gate.open();
    assert_eq!(client.response().text(), "gone");
    eventually("the other one too, now that it is idle", || gone.ended() == 2);
}

#[test]
fn a_backend_that_no_route_names_any_more_loses_its_idle_connections_at_once() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    ask(&sluice, 1);
    sluice.publish_table(model::RouteTableBuilder::default().build(2));
    eventually("the upstream sees the end", || upstream.ended() == 1);
}

#[test]
fn a_terminating_endpoint_finishes_what_it_has_and_gets_nothing_new() {
    let gates = [Gate::default(), Gate::default()];
    let passed = gates.clone();
    let leaving = Upstream::scripted(move |peer| {
        while peer.request().is_ok() {
            passed[peer.place].pass();
            let _ = peer.respond("leaving");
        }
    });
    let stays = Upstream::answering("stays");
    let sluice = Sluice::start(&[leaving.address]);
    let mut clients = [Client::connect(sluice.address), Client::connect(sluice.address)];
    for (place, client) in clients.iter_mut().enumerate() {
        client.request("GET", "/");
        eventually("the request is in flight", || leaving.requests() == place + 1);
    }
    let terminating = sluice::endpoint(leaving.address, &leaving.address.to_string(), Condition::Terminating);
    sluice.publish(&[terminating, sluice::ready(stays.address)]);
    assert_eq!(count(&ask(&sluice, 5), "stays"), 5);
    for (place, client) in clients.iter_mut().enumerate() {
        gates[place].open();
        assert_eq!(client.response().text(), "leaving");
        eventually("its connection is closed at once, not pooled", || leaving.ended() == place + 1);
    }
}

#[test]
fn terminating_endpoints_serve_when_no_other_is_left() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    ask(&sluice, 1);
    let uid = upstream.address.to_string();
    sluice.publish(&[sluice::endpoint(upstream.address, &uid, Condition::Terminating)]);
    assert_eq!(count(&ask(&sluice, 3), "hello"), 3);
    assert_eq!(upstream.connections(), 1, "the endpoint is the same, and so is its connection");
}

#[test]
fn an_address_used_again_by_another_pod_never_sees_a_connection_of_the_old_one() {
    let upstream = Upstream::scripted(|peer| {
        while peer.request().is_ok() {
            let _ = peer.respond(&format!("connection {}", peer.place));
        }
    });
    let sluice = Sluice::start(&[]);
    sluice.publish(&[sluice::endpoint(upstream.address, "old pod", Condition::Ready)]);
    assert_eq!(ask(&sluice, 2), ["connection 0", "connection 0"]);
    sluice.publish(&[sluice::endpoint(upstream.address, "new pod", Condition::Ready)]);
    assert_eq!(ask(&sluice, 2), ["connection 1", "connection 1"]);
    eventually("the old pod's connection is closed", || upstream.ended() == 1);
}

#[test]
fn a_response_of_an_old_pod_does_not_bring_its_connection_into_the_new_ones_pool() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = Sluice::start(&[]);
    sluice.publish(&[sluice::endpoint(upstream.address, "old pod", Condition::Ready)]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.publish(&[sluice::endpoint(upstream.address, "new pod", Condition::Ready)]);
    gate.open();
    assert_eq!(client.response().text(), "hello");
    eventually("the old pod's connection is closed", || upstream.ended() == 1);
    assert_eq!((client.get("/").text().as_str(), upstream.connections()), ("hello", 2));
}

/// Race 25, as far as the data plane goes: the last good table published again, whole or with more, costs nothing.
#[test]
fn a_publication_that_leaves_an_endpoint_as_it_was_keeps_its_connections() {
    let (upstream, more) = (Upstream::answering("hello"), Upstream::answering("hello"));
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for turn in 0..40 {
        assert_eq!(client.get("/").text(), "hello");
        let both = [sluice::ready(upstream.address), sluice::ready(more.address)];
        sluice.publish(&both[..1 + turn % 2]);
    }
    assert_eq!((upstream.connections(), upstream.ended()), (1, 0));
}

#[test]
fn a_busy_endpoint_is_spared_while_another_is_free() {
    let gate = Gate::default();
    let (busy, free) = (Upstream::gated(&gate, "busy"), Upstream::answering("free"));
    let sluice = Sluice::start(&[busy.address]);
    let mut waiting = Client::connect(sluice.address);
    waiting.request("GET", "/");
    eventually("one endpoint is busy", || busy.requests() == 1);
    sluice.publish(&[sluice::ready(busy.address), sluice::ready(free.address)]);
    assert_eq!(count(&ask(&sluice, 30), "free"), 30);
    gate.open();
    assert_eq!(waiting.response().text(), "busy");
}

#[test]
fn requests_are_spread_over_all_endpoints() {
    let upstreams = ["0", "1", "2", "3"].map(Upstream::answering);
    let sluice = Sluice::start(&upstreams.each_ref().map(|upstream| upstream.address));
    let answers = ask(&sluice, 200);
    for body in ["0", "1", "2", "3"] {
        assert!(count(&answers, body) > 20, "{body} got {} of 200", count(&answers, body));
    }
}

#[test]
fn round_robin_takes_each_endpoint_in_turn() {
    let upstreams = ["0", "1", "2"].map(Upstream::answering);
    let sluice = Sluice::start(&[]);
    let endpoints = upstreams.each_ref().map(|upstream| sluice::ready(upstream.address));
    let policy = Policy { balance: Balance::RoundRobin, ..Policy::default() };
    sluice.publish_table(sluice::table_with(2, policy, &endpoints));
    let answers = ask(&sluice, 9);
    for turn in answers.windows(3) {
        assert!(["0", "1", "2"].iter().all(|body| count(turn, body) == 1), "{answers:?}");
    }
}

#[test]
fn a_connection_that_its_upstream_ends_is_not_used_again() {
    let closing = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
        let _ = peer.request();
    });
    let old = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.0 200 OK\r\n\r\nhello");
    });
    for upstream in [closing, old] {
        let sluice = Sluice::start(&[upstream.address]);
        assert_eq!(count(&ask(&sluice, 3), "hello"), 3);
        assert_eq!((upstream.connections(), sluice.count("sluicegate_retries_total")), (3, 0));
    }
}

#[test]
fn an_idle_upstream_connection_is_closed_when_it_is_too_old() {
    let upstream = Upstream::answering("hello");
    let change = |config: &mut proxy::Config| config.upstream.idle_timeout = Duration::from_millis(100);
    let sluice = Sluice::with(change, &[upstream.address]);
    ask(&sluice, 1);
    eventually("the connection is closed", || upstream.ended() == 1);
    assert_eq!(ask(&sluice, 1), ["hello"]);
}

#[test]
fn a_backend_without_an_endpoint_is_503_until_it_has_one() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 503);
    sluice.publish(&[sluice::endpoint(upstream.address, "uid", Condition::NotReady)]);
    assert_eq!(client.get("/").status(), 503);
    sluice.publish(&[sluice::endpoint(upstream.address, "uid", Condition::Ready)]);
    assert_eq!(client.get("/").status(), 200);
}

#[test]
fn endpoints_that_all_refuse_are_asked_once_each_and_the_answer_is_502() {
    let sluice = Sluice::start(&[Upstream::refusing(), Upstream::refusing(), Upstream::refusing()]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 502);
    assert_eq!(sluice.count(CONNECTS), 3);
    assert_eq!(client.request("POST", "/").response().status(), 502, "the connection is kept");
}

#[test]
fn an_endpoint_that_does_not_take_a_connection_in_time_is_504() {
    let deaf = Deaf::start();
    let change = |config: &mut proxy::Config| config.upstream.connect_timeout = Duration::from_millis(100);
    let sluice = Sluice::with(change, &[deaf.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 504);
}

#[test]
fn an_endpoint_that_does_not_answer_in_time_is_504_and_is_not_asked_twice() {
    let gate = Gate::default();
    let (first, second) = (Upstream::gated(&gate, "late"), Upstream::gated(&gate, "late"));
    let change = |config: &mut proxy::Config| config.upstream.head_timeout = Duration::from_millis(100);
    let sluice = Sluice::with(change, &[first.address, second.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 504);
    assert_eq!(first.requests() + second.requests(), 1);
    gate.open();
    assert_eq!(client.get("/").text(), "late", "the connection of the late answer is not used again");
}

#[test]
fn all_attempts_together_have_one_deadline() {
    let deaf = [Deaf::start(), Deaf::start(), Deaf::start(), Deaf::start(), Deaf::start(), Deaf::start()];
    let change = |config: &mut proxy::Config| {
        config.max_request_time = Duration::from_millis(250);
        config.upstream.connect_timeout = Duration::from_millis(200);
    };
    let sluice = Sluice::with(change, &deaf.each_ref().map(|deaf| deaf.address));
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 504);
    assert!(sluice.count(CONNECTS) <= 2, "{} endpoints were tried", sluice.count(CONNECTS));
}
