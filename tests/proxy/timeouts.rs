//! How long a route's own times let its endpoints take, and how often its requests are tried, beside routes that say nothing.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use model::{Policy, Protocol, Retry, Route, RouteTable, RouteTableBuilder, Target, Timeouts, Transport};
use proxy::Config;
use system_tests::frames::{END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, block};
use system_tests::{Client, Deaf, Gate, PATIENCE, Sluice, Upstream, eventually, sluice};

const SHORT: Duration = Duration::from_millis(150);
const LATE_ANSWER: &str = "504 Gateway Timeout (response-timeout)\n";
const LATE_CONNECTION: &str = "504 Gateway Timeout (connect-timeout)\n";
const CONNECTS: &str = "sluicegate_upstream_connects_total";
const IN_FLIGHT: &str = "sluicegate_requests_in_flight";
const RETRIES: &str = "sluicegate_retries_total";

/// Two routes to the same endpoint: `/own` with these times, and `/` with the proxy's.
fn beside(timeouts: Timeouts, transport: Transport, endpoint: SocketAddr) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    let backend = sluice::add_backend(&mut builder, "web", transport, &[sluice::ready(endpoint)]);
    builder.route(sluice::route("", "/", "plain", Target::Backend(backend)));
    let policy = Arc::new(Policy { timeouts, ..Policy::default() });
    builder.route(Route { policy, ..sluice::route("", "/own", "own", Target::Backend(backend)) });
    builder.build(2)
}

fn gate_beside(change: impl FnOnce(&mut Config), timeouts: Timeouts, endpoint: SocketAddr) -> Sluice {
    let ours = proxy::Protocol { http2_cleartext: true, ..proxy::Protocol::default() };
    let sluice = Sluice::speaking(ours, change, &[]);
    sluice.publish_table(beside(timeouts, Transport::default(), endpoint));
    sluice
}

fn within(response: Duration) -> Timeouts {
    Timeouts { response: Some(response), ..Timeouts::default() }
}

/// A client that has asked for this and waits, as one of so many.
fn waiting(sluice: &Sluice, target: &str, in_flight: u64) -> Client {
    let mut client = Client::connect(sluice.address);
    client.request("GET", target);
    eventually("it waits", || sluice.count(IN_FLIGHT) == in_flight);
    client
}

#[test]
fn a_route_whose_own_time_for_an_answer_is_short_is_504_while_another_one_waits() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "late");
    let sluice = gate_beside(|_| {}, within(SHORT), upstream.address);
    let mut patient = waiting(&sluice, "/", 1);
    let mut client = Client::connect(sluice.address);
    let began = Instant::now();
    let answer = client.get("/own");
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_ANSWER));
    assert!(began.elapsed() >= SHORT);
    client.request("GET", "/");
    eventually("the next request of the same connection waits", || sluice.count(IN_FLIGHT) == 2);
    assert_eq!(Client::connect(sluice.address).get("/own").status(), 504);
    gate.open();
    assert_eq!((patient.response().text().as_str(), client.response().text().as_str()), ("late", "late"));
}

#[test]
fn a_route_whose_own_time_for_an_answer_is_long_waits_where_others_are_504() {
    waits_where_others_are_504(|config| config.upstream.head_timeout = SHORT);
}

#[test]
fn a_route_whose_own_time_for_an_answer_is_longer_than_any_request_may_take_has_it() {
    waits_where_others_are_504(|config| config.max_request_time = SHORT);
}

/// Where the proxy has a short time, a route with a long one of its own waits for its answer.
fn waits_where_others_are_504(change: impl Fn(&mut Config)) {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "late");
    let sluice = gate_beside(change, within(PATIENCE * 2), upstream.address);
    let mut patient = waiting(&sluice, "/own", 1);
    let answer = Client::connect(sluice.address).get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_ANSWER));
    gate.open();
    assert_eq!(patient.response().text(), "late");
}

#[test]
fn an_endpoint_that_takes_no_more_of_a_body_for_as_long_as_its_route_says_is_504() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.head();
        passed.pass();
    });
    let timeouts = Timeouts { send: Some(SHORT), response: Some(PATIENCE * 2), ..Timeouts::default() };
    let sluice = gate_beside(|_| {}, timeouts, upstream.address);
    let mut client = Client::connect(sluice.address);
    let mut writer = client.stream().try_clone().expect("a socket");
    let sent = thread::spawn(move || {
        let head = "PUT /own HTTP/1.1\r\nHost: host.test\r\nContent-Length: 67108864\r\n\r\n";
        let _ = writer.write_all(head.as_bytes());
        while writer.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_ANSWER));
    gate.open();
    let _ = client.stream().shutdown(Shutdown::Both);
    sent.join().expect("it ends");
}

/// Each piece of an upload begins the time anew, and each stream has its own.
#[test]
fn an_upload_and_a_stream_have_the_time_for_an_answer_that_their_route_gives() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "late");
    let sluice = gate_beside(|_| {}, within(SHORT), upstream.address);
    let mut client = Client::connect(sluice.address);
    client.send("PUT /own HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n\r\nbo");
    client.send("dy");
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_ANSWER));
    let mut frames = Frames::connect(sluice.address);
    for (id, path) in [(1, "/"), (3, "/own")] {
        let head = [(":method", "GET"), (":scheme", "http"), (":authority", "host.test"), (":path", path)];
        frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&head));
    }
    assert_eq!(frames.outcome(3), Outcome::Status(504));
    gate.open();
    assert_eq!(frames.outcome(1), Outcome::Status(200));
}

#[test]
fn an_answer_that_stalls_for_longer_than_its_route_has_is_cut_while_another_one_goes_on() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        while peer.request().is_ok() {
            let _ = peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
            passed.pass();
            let _ = peer.send("world");
        }
    });
    let timeouts = Timeouts { body: Some(SHORT), ..Timeouts::default() };
    let sluice = gate_beside(|_| {}, timeouts, upstream.address);
    let mut patient = waiting(&sluice, "/", 1);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/own");
    let head = client.head().expect("the head has come");
    let cut = client.read_body(&head).expect_err("the body is cut");
    assert_ne!(cut.kind(), std::io::ErrorKind::WouldBlock, "{cut}");
    eventually("the other one goes on", || sluice.count(IN_FLIGHT) == 1);
    gate.open();
    assert_eq!(patient.response().text(), "helloworld");
}

#[test]
fn a_route_whose_own_time_for_a_connection_is_short_is_504_while_another_one_waits() {
    let deaf = Deaf::start();
    let timeouts = Timeouts { connect: Some(SHORT), ..Timeouts::default() };
    let change = |config: &mut Config| config.upstream.connect_timeout = PATIENCE * 2;
    let sluice = gate_beside(change, timeouts, deaf.address);
    let _patient = waiting(&sluice, "/", 1);
    let answer = Client::connect(sluice.address).get("/own");
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_CONNECTION));
    eventually("the other one waits", || sluice.count(IN_FLIGHT) == 1);
    assert_eq!(sluice.count(CONNECTS), 2);
}

/// An endpoint of HTTP/2 that says nothing at all until the gate is open, or answers no request until then; and what is told of
/// each request.
fn http2_upstream(gate: &Gate, is_dumb: bool) -> (Upstream, Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let gate = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        if is_dumb {
            gate.pass();
        }
        let Ok(mut frames) = Frames::accept(&mut peer.stream) else { return };
        while let Ok((kind, _, id, _)) = frames.read() {
            if kind == HEADERS {
                let _ = tell.send(());
                gate.pass();
                frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&[(":status", "200")]));
            }
        }
    });
    (upstream, told)
}

#[test]
fn a_connection_that_requests_share_is_opened_for_those_that_still_wait() {
    let gate = Gate::default();
    let (upstream, _) = http2_upstream(&gate, true);
    let sluice = gate_of_http2(|config| config.upstream.connect_timeout = PATIENCE * 2, upstream.address);
    // The one with the short time is that which begins to open it.
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/own");
    eventually("it is being opened", || sluice.count(CONNECTS) == 1);
    let mut patient = Client::connect(sluice.address);
    patient.request("GET", "/");
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (504, LATE_CONNECTION));
    gate.open();
    assert_eq!(patient.response().status(), 200);
    assert_eq!((upstream.connections(), sluice.count(CONNECTS)), (1, 1));
}

#[test]
fn a_request_waits_for_a_place_beside_others_as_long_as_its_route_lets_it_connect() {
    let gate = Gate::default();
    let (upstream, told) = http2_upstream(&gate, false);
    let narrow = |config: &mut Config| {
        config.upstream.connect_timeout = PATIENCE * 2;
        (config.upstream.http2.connections_max, config.upstream.http2.streams_max) = (1, 1);
    };
    let sluice = gate_of_http2(narrow, upstream.address);
    let mut first = waiting(&sluice, "/", 1);
    told.recv_timeout(PATIENCE).expect("it has the only place");
    let mut patient = waiting(&sluice, "/", 2);
    let answer = Client::connect(sluice.address).get("/own");
    assert_eq!((answer.status(), answer.text().as_str()), (503, "503 Service Unavailable (endpoint-busy)\n"));
    gate.open();
    assert_eq!((first.response().status(), patient.response().status()), (200, 200));
}

/// [`beside`] over HTTP/2, with a short time for a connection.
fn gate_of_http2(change: impl FnOnce(&mut Config), endpoint: SocketAddr) -> Sluice {
    let sluice = Sluice::with(change, &[]);
    let timeouts = Timeouts { connect: Some(SHORT), ..Timeouts::default() };
    let transport = Transport { protocol: Some(Protocol::Grpc), ..Transport::default() };
    sluice.publish_table(beside(timeouts, transport, endpoint));
    sluice
}

fn tried(attempts: u16, endpoints: u16) -> Policy {
    let (attempts, endpoints) = (NonZeroU16::new(attempts), NonZeroU16::new(endpoints));
    Policy { retry: Retry { attempts, endpoints, ..Retry::default() }, ..Policy::default() }
}

#[test]
fn a_request_is_tried_as_often_as_its_route_says_and_at_as_many_endpoints() {
    let proxy_own = (0, 0, 3);
    for (attempts, endpoints, requests) in [proxy_own, (1, 0, 1), (2, 0, 2), (0, 2, 2), (10, 4, 4), (2, 4, 2)]
    {
        let dying = [0; 5].map(|_| Upstream::scripted(|peer| drop(peer.request())));
        let sluice = Sluice::start(&[]);
        let all = dying.each_ref().map(|upstream| sluice::ready(upstream.address));
        sluice.publish_table(sluice::table_with(2, tried(attempts, endpoints), &all));
        assert_eq!(Client::connect(sluice.address).get("/").status(), 502);
        let tries = (dying.iter().map(Upstream::requests).sum(), sluice.count(RETRIES) + 1);
        assert_eq!(tries, (requests, requests as u64), "{attempts} attempts, {endpoints} endpoints");
    }
}

#[test]
fn where_there_is_one_attempt_an_endpoint_that_refuses_is_the_last() {
    for (attempts, connects) in [(0, 3), (1, 1), (2, 2)] {
        let refusing = [0; 3].map(|_| sluice::ready(Upstream::refusing()));
        let sluice = Sluice::start(&[]);
        sluice.publish_table(sluice::table_with(2, tried(attempts, 0), &refusing));
        assert_eq!(Client::connect(sluice.address).get("/").status(), 502);
        assert_eq!(sluice.count(CONNECTS), connects, "{attempts} attempts");
    }
}

#[test]
fn the_only_attempt_takes_no_connection_that_has_been_idle_for_long() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request().and_then(|_| peer.respond("hello"));
        let _ = peer.request();
    });
    let sluice = Sluice::start(&[]);
    sluice.publish_table(sluice::table_with(2, tried(1, 0), &[sluice::ready(upstream.address)]));
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    // What counts is that it is longer than a second.
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(client.get("/").status(), 200);
    assert_eq!((upstream.connections(), sluice.count(RETRIES)), (2, 0));
}
