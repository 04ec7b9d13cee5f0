//! Connections of HTTP/2 that end without a word, and those that are not needed any more.

use std::time::{Duration, Instant};

use model::Protocol;
use proxy::Config;
use system_tests::{Client, PATIENCE, Sluice, Upstream, eventually, mute::falling_silent};

const CONNECTS: &str = "sluicegate_upstream_connects_total";

fn sluice(change: impl FnOnce(&mut Config), endpoints: &[&Upstream]) -> Sluice {
    let sluice = Sluice::with(change, &[]);
    let addresses: Vec<_> = endpoints.iter().map(|endpoint| endpoint.address).collect();
    sluice.publish_speaking(Protocol::Grpc, &addresses);
    sluice
}

#[test]
fn when_an_endpoint_gives_no_sign_of_life_its_requests_end_at_once_and_those_that_may_begin_anew() {
    let upstream = falling_silent(1);
    let soon = |config: &mut Config| {
        config.upstream.http2.ping_interval = Duration::from_secs(1);
        config.upstream.http2.ping_timeout = Duration::from_secs(1);
    };
    let sluice = sluice(soon, &[&upstream]);
    let mut clients = [Client::connect(sluice.address), Client::connect(sluice.address)];
    assert_eq!(clients[0].get("/").status(), 200);
    let began = Instant::now();
    // The first makes the second one share its connection, which is no idle one then.
    for (client, method) in clients.iter_mut().zip(["GET", "POST"]) {
        client.request(method, "/");
    }
    assert_eq!(clients[0].response().status(), 200, "it is idempotent");
    assert_eq!(clients[1].response().status(), 502, "it may have been seen");
    assert!(began.elapsed() < PATIENCE / 2, "after {:?}", began.elapsed());
    assert_eq!(upstream.connections(), 2);
    eventually("the silent connection is closed", || upstream.ended() == 1);
}

#[test]
fn an_idle_connection_that_died_without_a_word_costs_no_request_that_may_be_sent_again() {
    let upstream = falling_silent(1);
    let soon = |config: &mut Config| {
        config.upstream.http2.ping_interval = Duration::from_millis(100);
        config.upstream.http2.ping_timeout = Duration::from_millis(200);
    };
    let sluice = sluice(soon, &[&upstream]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(client.get("/").status(), 200);
    assert_eq!((upstream.connections(), sluice.count("sluicegate_retries_total")), (2, 1));
}

#[test]
fn an_endpoint_that_accepts_but_never_says_its_settings_is_given_up_for_another() {
    let dumb = Upstream::scripted(|peer| peer.discard());
    let good = falling_silent(usize::MAX);
    let soon = |config: &mut Config| config.upstream.connect_timeout = Duration::from_millis(200);
    let sluice = sluice(soon, &[&dumb]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.request("POST", "/").response().status(), 504);
    // It is tried last for a moment, and then again.
    sluice.publish_speaking(Protocol::Grpc, &[dumb.address, good.address]);
    while dumb.connections() < 2 {
        assert_eq!(client.request("POST", "/").response().status(), 200);
    }
    assert!(sluice.count("sluicegate_retries_total") > 0);
    eventually("what was given up is closed", || dumb.ended() == 2);
}

#[test]
fn a_connection_that_carried_nothing_for_long_is_closed() {
    let upstream = falling_silent(usize::MAX);
    let soon = |config: &mut Config| config.upstream.idle_timeout = Duration::from_millis(500);
    let sluice = sluice(soon, &[&upstream]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    eventually("it is closed", || upstream.ended() == 1);
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(sluice.count(CONNECTS), 2);
}

#[test]
fn when_files_run_short_a_connection_that_carries_nothing_is_closed_and_no_other() {
    let (idle, busy) = (falling_silent(usize::MAX), falling_silent(0));
    let sluice = sluice(|_| {}, &[&idle]);
    assert_eq!(Client::connect(sluice.address).get("/").status(), 200);
    // Both belong to one backend, as one worker uses it.
    sluice.publish_speaking(Protocol::Grpc, &[busy.address, idle.address]);
    let mut client = Client::connect(sluice.address);
    while busy.connections() == 0 {
        client = Client::connect(sluice.address);
        client.request("GET", "/");
        eventually("it is answered, or waits", || {
            busy.connections() == 1 || sluice.count("sluicegate_requests_in_flight") == 0
        });
    }
    sluice.overload().files_ran_out();
    eventually("the idle one is closed", || idle.ended() == 1);
    assert_eq!(busy.ended(), 0);
    drop(client);
}
