//! The PROXY protocol: which peers may say where a connection comes from, and what comes of it.

use std::time::Duration;

use proxy::{Config, Protocol};
use system_tests::{Client, Sluice, Upstream};

const V1: &str = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443\r\n";
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";

/// An upstream that tells which client it was told of.
fn telling() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let text =
                ["x-forwarded-for", "x-forwarded-port"].map(|name| request.field(name).unwrap()).join(" ");
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        }
    })
}

fn sluice(from: &str, change: impl FnOnce(&mut Config), upstream: &Upstream) -> Sluice {
    let protocol = Protocol { proxy_header_from: vec![from.parse().unwrap()], ..Protocol::default() };
    Sluice::speaking(protocol, change, &[upstream.address])
}

#[test]
fn the_client_is_the_one_that_a_trusted_peer_names_for_all_requests_of_the_connection() {
    let upstream = telling();
    let sluice = sluice("127.0.0.0/8", |_| {}, &upstream);
    let mut client = Client::connect(sluice.address);
    client.send(V1);
    for _ in 0..2 {
        assert_eq!(client.get("/").text(), "192.0.2.7 8443");
    }
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x67\x01\xbb";
    let mut client = Client::connect(sluice.address);
    client.send([&v2[..], REQUEST.as_bytes()].concat());
    assert_eq!(client.response().text(), "2001:db8::1 443");
}

#[test]
fn a_header_may_come_byte_by_byte_and_together_with_the_request() {
    let upstream = telling();
    let sluice = sluice("127.0.0.1/32", |_| {}, &upstream);
    let mut client = Client::connect(sluice.address);
    for byte in V1.as_bytes() {
        client.send([*byte]);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.get("/").text(), "192.0.2.7 8443");
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(format!("{V1}{REQUEST}")).response().text(), "192.0.2.7 8443");
}

#[test]
fn a_peer_that_speaks_for_itself_is_its_own_client() {
    let upstream = telling();
    let sluice = sluice("127.0.0.1/32", |_| {}, &upstream);
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let mut client = Client::connect(sluice.address);
        let text = client.send(header).get("/").text();
        assert_eq!(text, "127.0.0.1 80");
    }
}

#[test]
fn a_peer_that_must_say_it_and_does_not_is_refused_and_nothing_reaches_an_upstream() {
    let upstream = telling();
    let change = |config: &mut Config| config.downstream.handshake_timeout = Duration::from_millis(300);
    let sluice = sluice("127.0.0.1/32", change, &upstream);
    for bytes in
        [REQUEST, "PROXY TCP4 192.0.2.7\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443", "PROXY "]
    {
        let mut client = Client::connect(sluice.address);
        let answer = client.send(bytes).response();
        assert_eq!(answer.status(), 400, "{bytes}");
        assert!(answer.text().contains("proxy-header"), "{}", answer.text());
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn no_other_peer_is_believed() {
    let upstream = telling();
    let sluice = sluice("192.0.2.0/24", |_| {}, &upstream);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(V1).response().status(), 400);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").text(), "127.0.0.1 80");
}

#[test]
fn a_connection_that_is_opened_for_later_is_idle_and_not_late() {
    let upstream = telling();
    let change = |config: &mut Config| config.downstream.handshake_timeout = Duration::from_millis(100);
    let sluice = sluice("127.0.0.1/32", change, &upstream);
    let mut client = Client::connect(sluice.address);
    assert!(client.is_quiet_for(Duration::from_millis(400)));
    assert_eq!(client.send(V1).get("/").text(), "192.0.2.7 8443");
}
