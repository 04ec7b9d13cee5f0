//! Floods of frames on one connection of HTTP/2.

use http_body_util::Full;
use system_tests::frames::{
    END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    block,
};
use system_tests::{Gate, Http2, Sluice, Upstream, eventually};

use super::Bench;

/// More than a connection may send of them, many times over.
const MANY: usize = 20_000;
/// The first entry of the table that a client fills, as a field of one byte (RFC 7541 §6.1).
const REMEMBERED: u8 = 0x80 | 62;
/// The setting that nothing of ours is remembered (RFC 9113 §6.5.2).
const NO_TABLE: [u8; 6] = [0, 1, 0, 0, 0, 0];

fn head(path: &str) -> Vec<u8> {
    block(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)])
}

#[test]
fn frames_that_carry_nothing_end_their_connection_and_no_other() {
    let bench = Bench::with(|_| {});
    let mut visitor = bench.visitor();
    let update = 1_u32.to_be_bytes();
    let floods: [(&str, u8, u32, &[u8]); 4] = [
        ("PING", PING, 0, &[7; 8]),
        ("SETTINGS", SETTINGS, 0, &[0, 1, 0, 0, 16, 0]),
        ("PRIORITY", PRIORITY, 1, &[0, 0, 0, 0, 15]),
        ("WINDOW_UPDATE", WINDOW_UPDATE, 0, &update),
    ];
    for (number, (name, kind, id, payload)) in (1..).zip(floods) {
        let mut frames = Frames::connect(bench.sluice.address);
        for _ in 0..MANY {
            frames.send(kind, 0, id, payload);
        }
        let outcome = frames.outcome(u32::MAX);
        assert!(matches!(outcome, Outcome::GoAway(_) | Outcome::Closed), "{name}: {outcome:?}");
        eventually(name, || bench.refusals("flood") == number);
        bench.serves(&mut visitor);
    }
    eventually("they are gone", || bench.sluice.count("sluicegate_connections_open") == 1);
}

#[test]
fn a_client_that_asks_often_whether_we_are_there_is_told_and_served() {
    let bench = Bench::with(|_| {});
    let mut frames = Frames::connect(bench.sluice.address);
    for _ in 0..900 {
        frames.send(PING, 0, 0, &[7; 8]);
    }
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &head("/"));
    assert_eq!(frames.outcome(1), Outcome::Status(200));
    assert_eq!(bench.refusals("flood"), 0);
}

#[test]
fn requests_that_are_taken_back_once_the_upstream_has_them_end_the_connection() {
    const AT_A_TIME: u32 = 20;
    const ROUNDS: u32 = 20;
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let protocol = proxy::Protocol { http2_cleartext: true, ..proxy::Protocol::default() };
    let sluice = Sluice::speaking(protocol, |_| {}, &[upstream.address]);
    let cut = || sluice.count("sluicegate_refusals_total{reason=\"flood\"}") == 1;
    let mut frames = Frames::connect(sluice.address);
    for round in 0..ROUNDS {
        let ids = || (round * AT_A_TIME..(round + 1) * AT_A_TIME).map(|place| 2 * place + 1);
        ids().for_each(|id| frames.send(HEADERS, END_HEADERS | END_STREAM, id, &head("/")));
        eventually("all are under way", || cut() || sluice.metrics().open().1 == u64::from(AT_A_TIME));
        ids().for_each(|id| frames.send(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        eventually("none is", || cut() || sluice.metrics().open().1 == 0);
    }
    assert!(cut(), "{} requests were begun", upstream.requests());
    assert_eq!(frames.outcome(u32::MAX), Outcome::Closed);
    assert!(upstream.requests() < 300, "{} requests were begun", upstream.requests());
    gate.open();
}

#[test]
fn requests_that_break_rules_end_their_connection_and_those_that_come_at_a_bad_time_do_not() {
    let bench = Bench::with(|_| {});
    let mut visitor = bench.visitor();
    let plain = [(":method", "TRACE"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
    let call = [&plain[..], &[("content-type", "application/grpc")]].concat();
    for (number, fields) in [(1, plain.to_vec()), (2, call)] {
        let mut frames = Frames::connect(bench.sluice.address);
        for place in 0..1000 {
            frames.send(HEADERS, END_HEADERS | END_STREAM, 2 * place + 1, &block(&fields));
        }
        eventually("it is cut", || bench.refusals("flood") == number);
        bench.serves(&mut visitor);
    }
    assert!(bench.refusals("method") < 500, "{} were looked at", bench.refusals("method"));
    let mut frames = Frames::connect(bench.sluice.address);
    // Each status is to be spelled out.
    frames.send(SETTINGS, 0, 0, &NO_TABLE);
    for place in 0..300 {
        frames.send(HEADERS, END_HEADERS | END_STREAM, 2 * place + 1, &head("/"));
        let status = if place == 0 { 200 } else { 503 };
        assert_eq!(frames.outcome(2 * place + 1), Outcome::Status(status));
        bench.sluice.overload().set_memory_short(true);
    }
}

/// A head whose last field goes into the table of the other side.
fn remembering(name: &str, value: &str) -> Vec<u8> {
    let mut block = head("/");
    let literal = self::block(&[(name, value)]);
    block.push(0x40);
    block.extend_from_slice(&literal[1..]);
    block
}

#[test]
fn fields_that_cost_one_byte_each_are_refused_by_their_number_and_by_their_size() {
    let bench = Bench::with(|_| {});
    let mut visitor = bench.visitor();
    let long = "y".repeat(3900);
    for (value, times) in [("", 1900), (long.as_str(), 20)] {
        let before = bench.upstream.requests();
        let mut frames = Frames::connect(bench.sluice.address);
        // Each status is to be spelled out.
        frames.send(SETTINGS, 0, 0, &NO_TABLE);
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &remembering("x", value));
        assert_eq!(frames.outcome(1), Outcome::Status(200));
        let mut bomb = head("/");
        bomb.extend(std::iter::repeat_n(REMEMBERED, times));
        let ids = || (1..=100).map(|place| 2 * place + 1);
        ids().for_each(|id| frames.send(HEADERS, END_HEADERS | END_STREAM, id, &bomb));
        for outcome in frames.outcomes(ids()) {
            assert_eq!(outcome, Outcome::Status(431), "{times} of {} bytes", value.len());
        }
        assert_eq!(bench.upstream.requests() - before, 1, "{times} of {} bytes", value.len());
        bench.serves(&mut visitor);
    }
}

#[test]
fn the_heads_of_requests_in_flight_take_no_more_than_there_is_room_for() {
    const PLACES: u64 = 5;
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let protocol = proxy::Protocol { http2_cleartext: true, ..proxy::Protocol::default() };
    let room = |config: &mut proxy::Config| config.downstream.http2.heads_bytes_max = 50_000;
    let sluice = Sluice::speaking(protocol, room, &[upstream.address]);
    let (mut greedy, mut other) = (Http2::connect(sluice.address), Http2::connect(sluice.address));
    let ask = |client: &mut Http2, value: &str| {
        let request = client.request("GET", "a", "/").header("x", value).body(Full::default());
        client.begin(request.unwrap())
    };
    let begun: Vec<_> = (0..20).map(|_| ask(&mut greedy, &"y".repeat(9_500))).collect();
    let modest = ask(&mut other, "y");
    let refused = || sluice.count("sluicegate_refusals_total{reason=\"heads\"}");
    eventually("there is room for a few", || {
        refused() == 20 - PLACES && sluice.metrics().open().1 == PLACES + 1
    });
    gate.open();
    let answers: Vec<_> = begun.into_iter().map(|begun| greedy.finish(begun).unwrap().head).collect();
    let served = answers.iter().filter(|head| head.status() == 200).count() as u64;
    let told =
        answers.iter().filter(|head| head.status() == 503 && head.headers().contains_key("retry-after"));
    assert_eq!((served, told.count() as u64), (PLACES, 20 - PLACES), "{answers:?}");
    assert_eq!(other.finish(modest).unwrap().head.status(), 200);
    let again = ask(&mut greedy, &"y".repeat(9_500));
    assert_eq!(greedy.finish(again).unwrap().head.status(), 200, "the room is given back");
}
