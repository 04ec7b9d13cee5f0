//! What is too large, too slow or too many: what the client is told, and what it costs us.

mod clients;
mod requests;
pub(crate) mod responses;
mod routes;
mod slow;

use system_tests::{Client, Deaf, Gate, Sluice, Upstream};

use proxy::Config;
use std::time::Duration;

/// What a refused client is told: the status, the word in brackets, and whether the connection ends.
fn told(sluice: &Sluice, request: &str) -> (u16, String, bool) {
    let answer = Client::connect(sluice.address).send(request).response();
    assert_eq!(answer.field("content-type").as_deref(), Some("text/plain; charset=utf-8"), "{answer:?}");
    let text = answer.text();
    let line = answer.start.strip_prefix("HTTP/1.1 ").expect("a status line");
    let word = text.strip_prefix(line).and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(")\n"));
    (answer.status(), word.unwrap_or(&text).to_owned(), answer.closes())
}

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";

#[test]
fn each_refusal_names_its_cause_and_says_whether_the_connection_ends() {
    let upstream = Upstream::answering("hello");
    let short = |config: &mut Config| {
        config.downstream.body_bytes_max = 4;
        config.downstream.head_bytes_max = 1024;
        config.downstream.request_line_bytes_max = 256;
        (config.downstream.head_timeout, config.downstream.body_timeout) =
            (Duration::from_millis(500), Duration::from_millis(500));
    };
    let sluice = Sluice::with(short, &[upstream.address]);
    let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n");
    for (request, status, word, closes) in [
        (GET.replace("Host: ", "X: "), 400, "bad-host", true),
        (GET.replace("/ ", "/%zz "), 400, "bad-target", true),
        (GET.replace("Host", "X:y\nHost"), 400, "bad-request", true),
        (post("Content-Length: x\r\n"), 400, "bad-framing", true),
        (GET.replace("GET", "TRACE"), 405, "method", true),
        (GET[..20].to_owned(), 408, "head-timeout", true),
        (post("Content-Length: 3\r\n") + "ab", 408, "body-timeout", true),
        (post("Content-Length: 5\r\n"), 413, "body-too-large", true),
        (post("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n", 413, "body-too-large", true),
        (GET.replace("/ ", &format!("/{} ", "a".repeat(300))), 414, "line-too-long", true),
        (post("Expect: other\r\n"), 417, "expectation", true),
        (post(&format!("X: {}\r\n", "a".repeat(2000))), 431, "head-too-large", true),
        (post("Transfer-Encoding: gzip\r\n"), 501, "transfer-coding", true),
        (GET.replace("1.1", "3.0"), 505, "version", true),
    ] {
        assert_eq!(told(&sluice, &request), (status, word.to_owned(), closes), "{request:?}");
    }
    sluice.publish_table(model::RouteTableBuilder::default().build(2));
    assert_eq!(told(&sluice, GET), (404, "no-route".to_owned(), false));
}

#[test]
fn a_refusal_for_which_an_upstream_is_the_cause_names_it_and_keeps_the_client() {
    let (gate, deaf) = (Gate::default(), Deaf::start());
    let short = |config: &mut Config| {
        (config.upstream.connect_timeout, config.upstream.head_timeout) =
            (Duration::from_millis(500), Duration::from_millis(500));
    };
    let junk = Upstream::scripted(|peer| {
        let _ = peer.request().and_then(|_| peer.send("junk\r\n\r\n"));
    });
    let closing = Upstream::scripted(|peer| drop(peer.request()));
    let late = Upstream::gated(&gate, "late");
    let refusing = [Upstream::refusing()];
    for (endpoints, status, word) in [
        (&[] as &[_], 503, "no-endpoint"),
        (&refusing, 502, "connect"),
        (&[junk.address], 502, "bad-response"),
        (&[closing.address], 502, "upstream-closed"),
        (&[deaf.address], 504, "connect-timeout"),
        (&[late.address], 504, "response-timeout"),
    ] {
        assert_eq!(told(&Sluice::with(short, endpoints), GET), (status, word.to_owned(), false));
    }
    gate.open();
}
