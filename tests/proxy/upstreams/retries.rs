//! What is sent again, and where; and what never is (RFC 9110 §9.2.2). Counted at the upstream.

use std::thread;
use std::time::Duration;

use model::RouteTableBuilder;
use system_tests::{Client, Deaf, Gate, Peer, Sluice, Upstream, eventually, sluice};

/// Longer than a busy machine needs to publish other endpoints while one is being connected to.
const TO_CONNECT: Duration = Duration::from_secs(1);
const RETRIES: &str = "sluicegate_retries_total";
const POST: &str = "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n\r\nbody";

/// How an upstream drops a connection on which a request has just come.
#[derive(Clone, Copy, Debug)]
enum Drop {
    End,
    Reset,
}

fn drop_it(peer: &mut Peer, how: Drop) {
    if let Drop::Reset = how {
        peer.reset();
    }
}

/// Reads a request on each connection, and dies of it.
fn dying(how: Drop) -> Upstream {
    Upstream::scripted(move |peer| {
        let _ = peer.request();
        drop_it(peer, how);
    })
}

/// The first connection answers one request and dies of the second; all others live.
fn stale(how: Drop) -> Upstream {
    Upstream::scripted(move |peer| {
        if peer.request().and_then(|_| peer.respond("hello")).is_err() {
            return;
        }
        while peer.request().is_ok() {
            if peer.place == 0 {
                return drop_it(peer, how);
            }
            let _ = peer.respond("hello");
        }
    })
}

#[test]
fn a_request_that_was_never_sent_goes_to_another_endpoint_whatever_its_method() {
    let upstream = Upstream::answering("hello");
    let endpoints = [Upstream::refusing(), upstream.address, Upstream::refusing(), Upstream::refusing()];
    // A process for each request: none has learnt yet which endpoints refuse.
    for _ in 0..12 {
        let sluice = Sluice::start(&endpoints);
        let mut client = Client::connect(sluice.address);
        assert_eq!(client.send(POST).response().text(), "hello");
        assert_eq!(client.get("/").text(), "hello");
    }
    assert_eq!(upstream.requests(), 24);
}

#[test]
fn an_endpoint_that_refused_is_left_alone_for_a_moment() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[Upstream::refusing(), upstream.address, Upstream::refusing()]);
    let mut client = Client::connect(sluice.address);
    (0..40).for_each(|_| assert_eq!(client.get("/").status(), 200));
    let refused = sluice.count("sluicegate_upstream_connect_failures_total");
    assert!(refused <= 6, "{refused} of 40 requests ran into it");
}

#[test]
fn an_endpoint_that_does_not_take_connections_costs_time_but_no_request() {
    let (deaf, upstream) = (Deaf::start(), Upstream::answering("hello"));
    let change = |config: &mut proxy::Config| config.upstream.connect_timeout = TO_CONNECT;
    let sluice = Sluice::with(change, &[deaf.address]);
    let mut client = Client::connect(sluice.address);
    client.send(POST);
    eventually("the connection is being tried", || sluice.count("sluicegate_upstream_connects_total") == 1);
    sluice.publish(&[sluice::ready(deaf.address), sluice::ready(upstream.address)]);
    assert_eq!(client.response().text(), "hello", "an attempt sees the newest endpoints");
}

/// Race 24: the route is found once; the endpoints behind it are looked at again for each attempt.
#[test]
fn a_request_that_is_tried_again_keeps_its_route_though_the_table_has_changed() {
    let (deaf, right, wrong) = (Deaf::start(), Upstream::answering("right"), Upstream::answering("wrong"));
    let change = |config: &mut proxy::Config| config.upstream.connect_timeout = TO_CONNECT;
    let sluice = Sluice::with(change, &[deaf.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/path");
    eventually("the connection is being tried", || sluice.count("sluicegate_upstream_connects_total") == 1);
    let mut routes = RouteTableBuilder::default();
    sluice::add_route(&mut routes, "", "/", "web", &[sluice::ready(right.address)]);
    sluice::add_route(&mut routes, "", "/path", "other", &[sluice::ready(wrong.address)]);
    sluice.publish_table(routes.build(2));
    assert_eq!(client.response().text(), "right");
    assert_eq!(client.get("/path").text(), "wrong", "the next request sees the new routes");
}

#[test]
fn a_get_that_meets_a_pooled_connection_as_it_dies_is_answered() {
    for how in [Drop::End, Drop::Reset] {
        let upstream = stale(how);
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.get("/");
        let answer = client.get("/");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"), "{how:?}");
        assert_eq!((upstream.requests(), upstream.connections()), (3, 2), "{how:?}");
        assert_eq!(sluice.count(RETRIES), 1);
    }
}

/// Many pooled connections die at once, as in a restart: one stale connection must not lead to the next.
#[test]
fn a_get_that_meets_a_dead_connection_is_not_sent_on_its_siblings() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        if peer.request().is_err() {
            return;
        }
        passed.pass();
        let _ = peer.respond("hello");
        while peer.request().is_ok() && peer.place >= 8 {
            let _ = peer.respond("hello");
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(sluice.address)).collect();
    for client in &mut clients {
        client.request("GET", "/");
    }
    eventually("all have a connection of their own", || upstream.requests() == 8);
    gate.open();
    clients.iter_mut().for_each(|client| assert_eq!(client.response().status(), 200));
    assert_eq!(clients[0].get("/").status(), 200);
    assert_eq!((upstream.requests(), sluice.count(RETRIES)), (10, 1));
}

#[test]
fn a_post_that_an_upstream_has_read_is_never_sent_again() {
    for how in [Drop::End, Drop::Reset] {
        let (young, fresh) = (stale(how), dying(how));
        let sluice = Sluice::start(&[young.address]);
        let mut client = Client::connect(sluice.address);
        client.get("/");
        assert_eq!(client.send(POST).response().status(), 502, "{how:?}: on a connection used a moment ago");
        assert_eq!(young.requests(), 2, "{how:?}");
        sluice.publish(&[sluice::ready(fresh.address)]);
        assert_eq!(client.send(POST).response().status(), 502, "{how:?}: on a fresh connection");
        assert_eq!(client.request("POST", "/").response().status(), 502, "{how:?}: without a body");
        assert_eq!((fresh.requests(), sluice.count(RETRIES)), (2, 0), "{how:?}");
    }
}

#[test]
fn what_could_not_be_sent_again_takes_no_connection_that_has_been_idle_for_long() {
    let long = "x".repeat(100_000);
    let put = format!("PUT / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {}\r\n\r\n{long}", long.len());
    for request in [POST, &put] {
        let upstream = stale(Drop::Reset);
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.get("/");
        // What counts is that it is longer than a second.
        thread::sleep(Duration::from_millis(1100));
        assert_eq!(client.send(request).response().status(), 200);
        assert_eq!(upstream.connections(), 2);
        assert_eq!(client.send(request).response().status(), 200);
        assert_eq!(upstream.connections(), 2, "one that was used a moment ago is taken");
    }
}

#[test]
fn a_get_that_dies_on_a_fresh_connection_is_tried_once_more_and_elsewhere() {
    for how in [Drop::End, Drop::Reset] {
        let (dead, upstream) = (dying(how), Upstream::answering("hello"));
        let sluice = Sluice::start(&[dead.address, upstream.address]);
        let mut client = Client::connect(sluice.address);
        for turn in 1.. {
            assert_eq!(client.get("/").status(), 200, "{how:?}");
            if dead.requests() > 0 {
                break;
            }
            assert!(turn < 100, "the dying endpoint is never picked");
        }
        assert_eq!((dead.requests() as u64, sluice.count(RETRIES)), (1, 1));
    }
}

#[test]
fn a_get_is_given_up_after_as_many_fresh_connections_have_died_as_may() {
    for (deaths_max, requests) in [(None, 3), (Some(1), 1), (Some(4), 4)] {
        let dying = [Drop::End, Drop::Reset, Drop::End, Drop::Reset, Drop::End].map(dying);
        let change = |config: &mut proxy::Config| {
            config.upstream.deaths_max = deaths_max.unwrap_or(config.upstream.deaths_max);
        };
        let sluice = Sluice::with(change, &dying.each_ref().map(|upstream| upstream.address));
        assert_eq!(Client::connect(sluice.address).get("/").status(), 502);
        assert_eq!(dying.iter().map(Upstream::requests).sum::<usize>(), requests);
    }
}

#[test]
fn a_get_is_answered_though_two_fresh_connections_have_died() {
    let (dying, upstream) = ([dying(Drop::End), dying(Drop::Reset)], Upstream::answering("hello"));
    let sluice = Sluice::start(&[dying[0].address, dying[1].address, upstream.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..20 {
        assert_eq!(client.get("/").status(), 200);
    }
}

#[test]
fn a_request_that_may_be_sent_twice_is_with_its_body_if_that_is_short() {
    let upstream = Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            if peer.place == 0 && request.text() != "first" {
                return;
            }
            let _ = peer.respond(&request.text());
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let put = |body: &str| {
        format!("PUT / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    assert_eq!(client.send(put("first")).response().text(), "first");
    assert_eq!(client.send(put("second")).response().text(), "second");
    assert_eq!((upstream.connections(), sluice.count(RETRIES)), (2, 1));

    let upstream = stale(Drop::End);
    sluice.publish(&[sluice::ready(upstream.address)]);
    client.get("/");
    assert_eq!(client.send(put(&"x".repeat(100_000))).response().status(), 502);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_connection_that_its_upstream_closed_while_idle_costs_no_request_of_any_method() {
    for how in [Drop::End, Drop::Reset] {
        let upstream = Upstream::scripted(move |peer| {
            let _ = peer.request().and_then(|_| peer.respond("hello"));
            drop_it(peer, how);
        });
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        for turn in 1..20 {
            assert_eq!(client.send(POST).response().status(), 200, "{how:?}");
            // Whether we have noticed by now or find out as we write: the upstream has read nothing.
            eventually("the upstream has closed", || upstream.ended() == turn);
        }
        assert_eq!(upstream.requests(), 19);
    }
}

#[test]
fn a_request_is_not_sent_again_once_a_byte_of_its_answer_has_come() {
    for part in
        ["H", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"]
    {
        for before in [0, 1] {
            let upstream = Upstream::scripted(move |peer| {
                (0..before).for_each(|_| drop(peer.request().and_then(|_| peer.respond("hello"))));
                let _ = peer.request().and_then(|_| peer.send(part));
            });
            let other = Upstream::scripted(move |peer| drop(peer.request()));
            let sluice = Sluice::start(&[upstream.address]);
            let mut client = Client::connect(sluice.address);
            (0..before).for_each(|_| assert_eq!(client.get("/").status(), 200));
            client.request("GET", "/");
            eventually("the request is on its way", || upstream.requests() == before + 1);
            sluice.publish(&[sluice::ready(upstream.address), sluice::ready(other.address)]);
            assert_eq!(client.response().status(), 502, "{part:?}");
            let sent = (upstream.requests(), other.requests(), sluice.count(RETRIES));
            assert_eq!(sent, (before + 1, 0, 0), "{part:?} after {before} answers");
        }
    }
}
