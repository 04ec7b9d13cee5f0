//! Handshakes that are late, wrong, many or none at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use system_tests::{End, PATIENCE, Secure, Upstream, eventually};

use super::Edge;

/// A socket without TLS.
fn raw(edge: &Edge) -> TcpStream {
    let socket = TcpStream::connect(edge.sluice.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// All that comes until the end.
fn rest(mut socket: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_client_without_tls_is_told_so() {
    let edge = Edge::start(&[]);
    let mut socket = raw(&edge);
    socket.write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    let answer = rest(socket);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("plain-http"), "{answer}");
}

#[test]
fn garbage_ends_the_connection_and_harms_no_other() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    for garbage in
        [&b"\x16\x03\x01\xff\xff"[..], b"\0\0\0\0\0\0", b"\x80\x2e\x01\x03\x01", b"\x16\x03\x01\0\x01\0"]
    {
        let mut socket = raw(&edge);
        socket.write_all(garbage).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!rest(socket).starts_with("HTTP"), "{garbage:?}");
    }
    edge.visitor();
}

#[test]
fn a_name_without_a_certificate_is_refused_with_an_alert() {
    let edge = Edge::start(&[]);
    let error = edge.connect("nowhere.test").shake_hands().unwrap_err().to_string();
    assert!(error.contains("UnrecognisedName"), "{error}");
}

#[test]
fn a_session_is_resumed_by_its_ticket() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let config = edge.authority.client();
    let visit = || {
        let mut client = Secure::connect(edge.sluice.address, "a.test", &config);
        assert_eq!(client.get("a.test", "/").unwrap().status(), 200);
        client.is_resumed()
    };
    assert_eq!([visit(), visit()], [false, true]);
}

#[test]
fn a_handshake_that_is_not_done_in_time_is_given_up() {
    let edge = Edge::with(|config| config.downstream.handshake_timeout = Duration::from_millis(300), &[]);
    let mut socket = raw(&edge);
    socket.write_all(b"\x16\x03\x01").unwrap();
    let since = Instant::now();
    assert_eq!(rest(socket), "");
    assert!(since.elapsed() >= Duration::from_millis(300));
    assert_eq!(edge.sluice.count("sluicegate_tls_handshakes_failed_total"), 1);
}

#[test]
fn where_too_many_dawdle_the_oldest_is_given_up_and_the_honest_are_served() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::with(|config| config.downstream.handshakes_max = 8, &[upstream.address]);
    let mut dawdlers: Vec<TcpStream> = (0..50).map(|_| raw(&edge)).collect();
    for dawdler in &mut dawdlers {
        dawdler.write_all(b"\x16").unwrap();
    }
    edge.visitor();
    eventually("all but the newest are given up", || {
        edge.sluice.count("sluicegate_tls_handshakes_failed_total") >= 42
    });
    edge.visitor();
}

#[test]
fn a_handshake_that_was_under_way_when_the_drain_began_is_finished_and_served_once() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut opened = edge.connect("a.test");
    let mut relayed = edge.connect("a.test");
    // One has said nothing yet; of the other the first byte of its hello is there.
    let hello = {
        let mut hello = Vec::new();
        relayed.write_hello(&mut hello);
        hello
    };
    relayed.socket().write_all(&hello[..1]).unwrap();
    eventually("both are accepted", || edge.sluice.metrics().open().0 == 2);
    std::thread::sleep(Duration::from_millis(50));
    edge.sluice.drain();
    std::thread::sleep(Duration::from_millis(100));
    relayed.socket().write_all(&hello[1..]).unwrap();
    for client in [&mut relayed, &mut opened] {
        let answer = client.get("a.test", "/").unwrap();
        assert_eq!((answer.status(), answer.closes()), (200, true));
        assert_eq!(client.rest(), (vec![], End::Clean));
    }
}
