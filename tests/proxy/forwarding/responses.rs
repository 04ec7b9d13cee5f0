//! Answers without a body, and answers between HTTP/1.0 and 1.1.

use std::io::Read;

use system_tests::{Client, End, Sluice, Upstream};

use super::relayed;

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";

/// Asks twice on one connection; both answers are heads only. If any byte stood behind the first, the second shows it.
fn heads(answer: &str, request: &str) -> [String; 2] {
    let (upstream, _seen) = Upstream::recording(answer);
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let mut next = || {
        let head = client.send(request).head().expect("a head");
        let framing =
            ["content-length", "transfer-encoding"].map(|name| head.field(name).unwrap_or("-".into()));
        format!("{} {}", head.status(), framing.join(" "))
    };
    [next(), next()]
}

#[test]
fn the_answer_to_head_keeps_its_length_and_has_no_body() {
    let head = GET.replace("GET", "HEAD");
    let sized = heads("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", &head);
    assert_eq!(sized, ["200 1234 -", "200 1234 -"]);
    let chunked = heads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &head);
    assert_eq!(chunked.map(|line| line[..5].to_owned()), ["200 -", "200 -"], "no length is made up");
    assert_eq!(heads("HTTP/1.1 200 OK\r\n\r\n", &head).map(|line| line[..5].to_owned()), ["200 -", "200 -"]);
}

#[test]
fn our_own_answer_to_head_has_no_body() {
    let sluice = Sluice::start(&[]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..2 {
        assert_eq!(client.request("HEAD", "/").head().expect("a head").status(), 503);
    }
}

#[test]
fn answers_that_can_have_no_body_have_none() {
    assert_eq!(heads("HTTP/1.1 204 No Content\r\n\r\n", GET), ["204 - -", "204 - -"]);
    let unchanged = heads("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", GET);
    assert_eq!(unchanged, ["304 - -", "304 - -"]);
    // A 304 may say how long the body would be, a 204 must not (RFC 9110 §8.6).
    for length in ["1234", "0"] {
        let answer = format!("HTTP/1.1 304 Not Modified\r\nContent-Length: {length}\r\n\r\n");
        for request in [GET, &GET.replace("GET", "HEAD")] {
            let expected = format!("304 {length} -");
            assert_eq!(heads(&answer, request), [expected.clone(), expected], "{request:?}");
        }
    }
    let unchanged = heads("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", GET);
    assert_eq!(unchanged, ["304 - -", "304 - -"]);
    let empty = heads("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", GET);
    assert_eq!(empty, ["204 - -", "204 - -"]);
    let reset = heads("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", GET);
    assert_eq!(reset, ["205 0 -", "205 0 -"]);
}

#[test]
fn a_body_that_must_not_be_there_is_dropped() {
    for (method, answer) in [
        ("GET", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nforged"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"),
    ] {
        let (upstream, _seen) = Upstream::recording(answer);
        let sluice = Sluice::start(&[upstream.address]);
        let request = GET.replace("GET", method);
        for _ in 0..3 {
            let mut client = Client::connect(sluice.address);
            let head = client.send(&request).head().expect("a head");
            assert_eq!(head.start, answer.split("\r\n").next().unwrap_or_default());
            client.finish();
            assert_eq!(client.rest(), (vec![], End::Clean), "{answer:?}");
        }
        assert_eq!(upstream.connections(), 3, "such a connection is not used again: {answer:?}");
    }
}

const UNSIZED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn a_client_of_http_10_gets_no_chunks() {
    for ask in ["", "Connection: keep-alive\r\n"] {
        let (upstream, _seen) = Upstream::recording(UNSIZED);
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        let answer = client.send(format!("GET / HTTP/1.0\r\nHost: host.test\r\n{ask}\r\n")).response();
        assert_eq!((answer.text().as_str(), answer.field("transfer-encoding")), ("hello", None));
        assert!(answer.start.starts_with("HTTP/1."), "{answer:?}");
    }
}

#[test]
fn a_client_of_http_10_is_kept_only_if_it_asks_for_that() {
    let (upstream, _seen) = Upstream::recording(SIZED);
    let sluice = Sluice::start(&[upstream.address]);
    let mut kept = Client::connect(sluice.address);
    for _ in 0..2 {
        let answer =
            kept.send("GET / HTTP/1.0\r\nHost: host.test\r\nConnection: keep-alive\r\n\r\n").response();
        assert_eq!(answer.text(), "hello");
        let said = answer.field("connection").unwrap_or_default();
        assert_eq!(said.to_ascii_lowercase(), "keep-alive", "an old client must be told");
    }
    let mut plain = Client::connect(sluice.address);
    assert_eq!(plain.send("GET / HTTP/1.0\r\nHost: host.test\r\n\r\n").response().text(), "hello");
    assert!(plain.sees_eof());
}

#[test]
fn a_client_that_asks_for_the_end_gets_it() {
    for ask in ["close", "CLOSE", "close, keep-alive", "keep-alive\r\nConnection: close"] {
        let (upstream, _seen) = Upstream::recording(SIZED);
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        let answer =
            client.send(format!("GET / HTTP/1.1\r\nHost: host.test\r\nConnection: {ask}\r\n\r\n")).response();
        assert_eq!((answer.text().as_str(), answer.closes()), ("hello", true), "{ask:?}");
        assert!(client.sees_eof(), "{ask:?}");
        assert_eq!(Client::connect(sluice.address).get("/").status(), 200);
        assert_eq!(upstream.connections(), 1, "the upstream connection is kept: {ask:?}");
    }
}

#[test]
fn an_answer_of_http_10_becomes_one_of_11() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request().and_then(|_| peer.send("HTTP/1.0 200 OK\r\n\r\nhello"));
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..2 {
        let answer = client.get("/");
        assert_eq!((answer.start.as_str(), answer.text().as_str()), ("HTTP/1.1 200 OK", "hello"));
        assert_eq!(answer.field("transfer-encoding").as_deref(), Some("chunked"));
    }
}

#[test]
fn an_answer_is_on_the_wire_as_others_write_it() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("GET / HTTP/1.1\r\nHost: host.test\r\nConnection: close\r\n\r\n");
    let mut wire = String::new();
    client.stream().read_to_string(&mut wire).expect("text");
    let (head, body) = wire.split_once("\r\n\r\n").expect("a head");
    assert_eq!((body, head.lines().next()), ("hello", Some("HTTP/1.1 200 OK")));
    assert!(head.lines().skip(1).all(|line| line.contains(": ")), "{head}");
    assert_eq!(head.matches('\n').count(), head.matches("\r\n").count(), "{head:?}");
    assert_eq!(relayed(SIZED, GET).field("content-length").as_deref(), Some("5"), "once");
}
