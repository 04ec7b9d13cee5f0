//! How a connection of HTTP/2 ends: told in time, never in the middle of a request, and never waited for in vain.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http_body_util::Full;
use system_tests::{Gate, Http2, PATIENCE, Upstream, eventually};

use super::{HOST, sluice, sluice_with};

/// The goodbye of a drain is spread over ten seconds.
const SPREAD: Duration = Duration::from_secs(10);

#[test]
fn a_drain_lets_requests_in_flight_end_and_then_ends_the_connection_cleanly() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    let held = client.request("GET", HOST, "/").body(Full::default()).unwrap();
    let answer = client.begin(held);
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.drain();
    std::thread::sleep(SPREAD + Duration::from_millis(500));
    gate.open();
    assert_eq!(&client.finish(answer).unwrap().body[..], b"hello");
    assert!(client.ends_cleanly());
    assert_eq!(sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

#[test]
fn requests_go_on_through_a_drain_until_the_goodbye_and_idle_connections_hear_it_too() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let (mut busy, idle) = (Http2::connect(sluice.address), Http2::connect(sluice.address));
    assert_eq!(busy.get(HOST, "/").unwrap().head.status(), 200);
    sluice.drain();
    let since = Instant::now();
    // A client that has been told sends no more by itself; nothing that it has sent is lost.
    let mut answered = 1;
    while let Ok(answer) = busy.get(HOST, "/") {
        assert_eq!(answer.head.status(), 200);
        assert!(since.elapsed() < SPREAD + PATIENCE);
        answered += 1;
    }
    assert!(answered > 1 && upstream.requests() == answered, "{answered} of {}", upstream.requests());
    assert!(busy.ends_cleanly() && idle.ends_cleanly());
    assert_eq!(sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

#[test]
fn an_idle_connection_is_told_after_the_idle_time_and_one_that_carries_something_is_not() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = sluice_with(|config| config.idle_timeout = Duration::from_millis(300), &upstream);
    let idle = Http2::connect(sluice.address);
    let mut busy = Http2::connect(sluice.address);
    let held = busy.request("GET", HOST, "/").body(Full::default()).unwrap();
    let answer = busy.begin(held);
    assert!(idle.ends_cleanly());
    std::thread::sleep(Duration::from_millis(300));
    gate.open();
    assert_eq!(busy.finish(answer).unwrap().head.status(), 200);
}

/// A socket after the preface and empty settings of a client, and what the other side sends first.
fn raw(address: std::net::SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    socket
}

#[test]
fn a_client_that_does_not_leave_is_not_waited_for() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.idle_timeout = Duration::from_secs(200), &upstream);
    let mut socket = raw(sluice.address);
    socket.read_exact(&mut [0; 9]).unwrap();
    sluice.drain();
    // Beside the spread: until the last stream is named, until the connection is closed, and a slow machine.
    let most = SPREAD + Duration::from_secs(2 + 5) + PATIENCE;
    assert_eq!(sluice.finished_within(most).expect("it is not waited for").cut, 0);
}

#[test]
fn a_client_that_takes_no_answer_is_reset_and_others_on_the_connection_are_served() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let length = if request.target() == "/large" { 64 << 20 } else { 5 };
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            let _ = peer.send(vec![b'x'; length]);
        }
    });
    let limit = |config: &mut proxy::Config| config.downstream.write_timeout = Duration::from_millis(300);
    let sluice = sluice_with(limit, &upstream);
    let mut client = Http2::connect(sluice.address);
    let large = client.request("GET", HOST, "/large").body(Full::default()).unwrap();
    // What is not read fills the window, and then nothing more is taken.
    let unread = client.begin_unread(large);
    eventually("the stalled stream is given up", || sluice.metrics().open().1 == 0);
    assert_eq!(client.get(HOST, "/small").unwrap().body.len(), 5);
    assert!(client.read(unread).is_err());
}

#[test]
fn a_body_that_stops_or_drips_is_answered_408_and_resets_no_other_stream() {
    let upstream = Upstream::answering("hello");
    let limit = |config: &mut proxy::Config| {
        (config.downstream.body_timeout, config.downstream.body_rate_min) =
            (Duration::from_millis(300), 100_000);
    };
    for drips in [false, true] {
        let sluice = sluice_with(limit, &upstream);
        let mut socket = raw(sluice.address);
        // HEADERS without END_STREAM: POST http://h/ by HPACK's static table; the body never ends.
        socket.write_all(b"\0\0\x06\x01\x04\0\0\0\x01\x83\x86\x84\x41\x01h").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let is_answered = || sluice.count("sluicegate_responses_total{class=\"4xx\"}") == 1;
        let since = Instant::now();
        while !is_answered() {
            assert!(since.elapsed() < PATIENCE, "drips: {drips}");
            assert!(!matches!(socket.read(&mut [0; 4096]), Ok(0)), "its connection lives, drips: {drips}");
            if drips {
                let _ = socket.write_all(b"\0\0\x01\0\0\0\0\0\x01x");
            }
        }
        assert!(since.elapsed() >= Duration::from_millis(300), "drips: {drips}");
    }
}
