//! What a client sees of a drain: an answer that says `Connection: close`, and nothing before it.

mod end;

use std::time::Duration;

use system_tests::{Client, End, Gate, PATIENCE, Sluice, Upstream, eventually, sluice};

/// Asks, and checks that the answer is good, says that it is the last, and is.
fn last_answer(client: &mut Client) {
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str(), answer.closes()), (200, "hello", true));
    assert_eq!(client.rest(), (vec![], End::Clean));
}

#[test]
fn an_idle_connection_is_kept_through_a_drain_until_its_client_has_been_told() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..4).map(|_| Client::connect(sluice.address)).collect();
    clients.iter_mut().for_each(|client| assert!(!client.get("/").closes()));
    sluice.drain();
    for (client, pause) in clients.iter_mut().zip([0, 20, 100, 300]) {
        assert!(client.is_quiet_for(Duration::from_millis(pause.max(1))));
        last_answer(client.request("GET", "/"));
    }
}

#[test]
fn a_connection_without_a_request_yet_is_served_once_during_a_drain() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    eventually("the connection is accepted", || sluice.metrics().open().0 == 1);
    sluice.drain();
    assert!(client.is_quiet_for(Duration::from_millis(300)));
    last_answer(client.request("GET", "/"));
}

#[test]
fn a_request_of_which_half_the_head_came_before_the_drain_is_served() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut fresh = Client::connect(sluice.address);
    let mut used = Client::connect(sluice.address);
    used.get("/");
    fresh.send("GET / HT");
    used.send("GET / HT");
    eventually("both have woken it", || sluice.count("sluicegate_connections_parked") == 0);
    sluice.drain();
    for client in [&mut fresh, &mut used] {
        assert!(client.is_quiet_for(Duration::from_millis(100)));
        last_answer(client.send("TP/1.1\r\nHost: host.test\r\n\r\n"));
    }
}

#[test]
fn a_request_in_flight_when_the_drain_starts_is_answered_and_told_to_leave() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.request("POST", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.drain();
    assert!(client.is_quiet_for(Duration::from_millis(100)));
    gate.open();
    last_answer(&mut client);
    drop(client);
    assert_eq!(sluice.finished_within(PATIENCE).expect("nothing is left").cut, 0);
}

#[test]
fn a_response_whose_head_was_out_before_the_drain_ends_whole_and_the_next_one_is_the_last() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        while peer.request().is_ok() {
            let _ = peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
            passed.pass();
            let _ = peer.send("llo");
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let head = client.request("GET", "/").head().expect("a head");
    sluice.drain();
    gate.open();
    let body = client.read_body(&head).expect("a whole body");
    assert_eq!((head.closes(), body.as_slice()), (false, &b"hello"[..]));
    assert!(client.is_quiet_for(Duration::from_millis(100)));
    last_answer(client.request("GET", "/"));
}

#[test]
fn a_request_pipelined_behind_the_last_answer_does_not_destroy_it() {
    let body = "x".repeat(1 << 20);
    let upstream = Upstream::answering(&body);
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.get("/");
    sluice.drain();
    client.send("GET /1 HTTP/1.1\r\nHost: host.test\r\n\r\n".repeat(200));
    let answer = client.response();
    assert_eq!((answer.status(), answer.body.len(), answer.closes()), (200, body.len(), true));
    assert_eq!(client.rest(), (vec![], End::Clean));
    assert_eq!(upstream.requests(), 2, "RFC 9112 §9.6: what follows a close must not be processed");
}

#[test]
fn a_new_connection_during_a_drain_is_served_once() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut waiting = Client::connect(sluice.address);
    waiting.get("/");
    sluice.drain();
    for _ in 0..20 {
        last_answer(Client::connect(sluice.address).request("GET", "/"));
    }
    last_answer(waiting.request("GET", "/"));
}

#[test]
fn a_client_that_stood_in_the_queue_when_the_drain_started_is_served() {
    let upstream = Upstream::answering("hello");
    for _ in 0..20 {
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        sluice.drain();
        eventually("it is accepted", || sluice.metrics().open().0 == 1);
        last_answer(Client::connect(sluice.address).request("GET", "/"));
        last_answer(client.request("GET", "/"));
    }
}

#[test]
fn a_refusal_during_a_drain_tells_the_client_to_leave() {
    let sluice = Sluice::start(&[]);
    let mut client = Client::connect(sluice.address);
    let before = client.get("/");
    assert_eq!((before.status(), before.closes()), (503, false));
    sluice.drain();
    let after = client.get("/");
    assert_eq!((after.status(), after.closes()), (503, true));
    assert_eq!(client.rest(), (vec![], End::Clean));
}

#[test]
fn endpoints_published_during_a_drain_are_used() {
    let (old, new) = (Upstream::answering("old"), Upstream::answering("hello"));
    let sluice = Sluice::start(&[old.address]);
    let mut client = Client::connect(sluice.address);
    client.get("/");
    sluice.drain();
    sluice.publish(&[sluice::ready(new.address)]);
    last_answer(client.request("GET", "/"));
    assert_eq!(old.requests(), 1);
}

#[test]
fn a_client_of_http10_that_wants_to_be_kept_is_told_plainly_that_it_is_not() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let ask =
        |target: &str| format!("GET {target} HTTP/1.0\r\nHost: host.test\r\nConnection: keep-alive\r\n\r\n");
    let mut client = Client::connect(sluice.address);
    let kept = client.send(ask("/")).response();
    assert_eq!(kept.field("connection").as_deref(), Some("keep-alive"));
    sluice.drain();
    let told = client.send(ask("/")).response();
    assert_eq!((told.status(), told.field("connection").as_deref()), (200, Some("close")));
    assert_eq!(client.rest(), (vec![], End::Clean));
}
