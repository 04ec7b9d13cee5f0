//! Answers before the answer: 100, 103 and their like.

use std::time::Duration;

use proxy::Config;
use system_tests::{Client, Deaf, PATIENCE, Sluice, Upstream};

use super::{EMPTY, relayed};

const POST: &str = "POST / HTTP/1.1\r\nHost: host.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

fn first_status(sluice: &Sluice, request: &str) -> u16 {
    Client::connect(sluice.address).send(request).head().expect("an answer").status()
}

#[test]
fn a_client_that_waits_for_it_is_told_to_continue_and_its_upstream_never_knows() {
    let (upstream, seen) = Upstream::recording(EMPTY);
    let sluice = Sluice::start(&[upstream.address]);
    for expect in ["100-continue", "100-Continue"] {
        let mut client = Client::connect(sluice.address);
        client.send(POST.replace("100-continue", expect));
        assert_eq!(client.head().expect("a first answer").start, "HTTP/1.1 100 Continue");
        assert_eq!(client.send("hello").response().status(), 200);
        let request = seen.recv_timeout(PATIENCE).expect("a request");
        assert_eq!((request.text().as_str(), request.field("expect")), ("hello", None));
        assert_eq!(client.get("/").status(), 200, "the connection is kept");
        seen.recv_timeout(PATIENCE).expect("a second request");
    }
}

#[test]
fn nobody_is_told_to_continue_before_an_upstream_is_connected() {
    let deaf = Deaf::start();
    let change = |config: &mut Config| config.upstream.connect_timeout = Duration::from_millis(100);
    assert_eq!(first_status(&Sluice::with(change, &[deaf.address]), POST), 504);
    assert_eq!(first_status(&Sluice::start(&[Upstream::refusing()]), POST), 502);
    assert_eq!(first_status(&Sluice::start(&[]), POST), 503);
}

#[test]
fn nobody_is_told_to_continue_with_what_will_be_refused() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.body_bytes_max = 4, &[upstream.address]);
    assert_eq!(first_status(&sluice, POST), 413);
    let sluice = Sluice::start(&[upstream.address]);
    sluice.publish_table(model::RouteTableBuilder::default().build(2));
    assert_eq!(first_status(&sluice, POST), 404);
    assert_eq!(upstream.received(), 0);
}

#[test]
fn an_expectation_that_nobody_can_meet_is_417() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    for expect in ["other", "100-continue, other", "100-continue\r\nExpect: other", ""] {
        assert_eq!(first_status(&sluice, &POST.replace("100-continue", expect)), 417, "{expect:?}");
    }
    assert_eq!(upstream.received(), 0);
}

#[test]
fn a_client_that_does_not_wait_gets_its_answer_all_the_same() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("{POST}hello"));
    let first = client.head().expect("an answer");
    let answer = if first.status() == 100 { client.response() } else { first };
    assert_eq!(answer.status(), 200);
}

#[test]
fn a_client_of_http_10_is_never_told_to_continue() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let request = POST.replace("HTTP/1.1", "HTTP/1.0") + "hello";
    assert_eq!(first_status(&sluice, &request), 200);
}

#[test]
fn preliminary_answers_of_an_upstream_stay_with_us() {
    let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                 HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let answer = relayed(hints, "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n");
    assert_eq!((answer.status(), answer.text().as_str(), answer.field("link")), (200, "hello", None));
}
