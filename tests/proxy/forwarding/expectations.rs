//! Answers before the answer: 100, 103 and their like.

use std::time::Duration;

use proxy::Config;
use system_tests::{Client, Deaf, Gate, PATIENCE, Sluice, Upstream};

use super::EMPTY;

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
fn no_client_is_told_to_continue_before_an_upstream_is_connected() {
    let deaf = Deaf::start();
    let change = |config: &mut Config| config.upstream.connect_timeout = Duration::from_millis(100);
    assert_eq!(first_status(&Sluice::with(change, &[deaf.address]), POST), 504);
    assert_eq!(first_status(&Sluice::start(&[Upstream::refusing()]), POST), 502);
    assert_eq!(first_status(&Sluice::start(&[]), POST), 503);
}

#[test]
fn no_client_is_told_to_continue_with_what_will_be_refused() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.body_bytes_max = 4, &[upstream.address]);
    assert_eq!(first_status(&sluice, POST), 413);
    let sluice = Sluice::start(&[upstream.address]);
    sluice.publish_table(model::RouteTableBuilder::default().build(2));
    assert_eq!(first_status(&sluice, POST), 404);
    assert_eq!(upstream.received(), 0);
}

#[test]
fn an_expectation_that_cannot_be_met_is_417() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    for expect in ["other", "100-continue, other", "100-continue\r\nExpect: other"] {
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

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// The statuses that a client gets, up to the last.
fn statuses(client: &mut Client) -> Vec<u16> {
    let mut statuses = Vec::new();
    loop {
        let head = client.head().expect("a head");
        statuses.push(head.status());
        if head.status() >= 200 {
            assert_eq!(client.read_body(&head).expect("a body"), b"hello");
            return statuses;
        }
    }
}

#[test]
fn interim_answers_of_an_upstream_are_passed_on_but_for_100_which_is_ours_to_say() {
    let all = format!("HTTP/1.1 100 Continue\r\n\r\n{HINTS}HTTP/1.1 102 Processing\r\n\r\n{ANSWER}");
    let (upstream, _seen) = Upstream::recording(all);
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let hints = client.send(GET).head().expect("a head");
    assert_eq!(hints.start, "HTTP/1.1 103 Early Hints");
    assert_eq!(hints.fields.len(), 2);
    assert_eq!(hints.field("link").as_deref(), Some("</a>; rel=preload|</b>"));
    assert_eq!(statuses(&mut client), [102, 200]);
    client.send(GET.repeat(2));
    for _ in 0..2 {
        assert_eq!(statuses(&mut client), [103, 102, 200], "each before its own answer");
    }
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn an_interim_answer_does_not_wait_for_the_answer() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.request().and_then(|_| peer.send(HINTS));
        passed.pass();
        let _ = peer.send(ANSWER);
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(GET).head().expect("hints").status(), 103);
    gate.open();
    assert_eq!(statuses(&mut client), [200]);
}

#[test]
fn what_concerns_the_hop_or_frames_a_message_has_no_place_in_an_interim_answer() {
    let hop = "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n";
    let (upstream, _seen) =
        Upstream::recording(format!("HTTP/1.1 103 Hi\r\n{hop}Link: </a>\r\n\r\n{ANSWER}"));
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let hints = client.send(GET).head().expect("hints");
    assert_eq!(hints.fields, [("link".to_owned(), "</a>".to_owned())]);
    assert_eq!(statuses(&mut client), [200]);
}

#[test]
fn a_client_of_http_10_gets_the_answer_alone() {
    let (upstream, _seen) = Upstream::recording(format!("{HINTS}{ANSWER}"));
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(GET.replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(statuses(&mut client), [200]);
}

#[test]
fn hints_and_the_word_to_continue_come_both_and_before_the_answer() {
    let upstream = Upstream::scripted(|peer| {
        while peer.head().is_ok() {
            let _ = peer.send(HINTS);
            let mut body = Vec::new();
            while body.len() < 5 {
                body.extend(peer.read_some(5).expect("the body"));
            }
            let _ = peer.send(ANSWER);
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..10 {
        client.send(POST);
        let mut first = [client.head().expect("a head").status(), client.head().expect("a head").status()];
        first.sort_unstable();
        assert_eq!(first, [100, 103]);
        client.send("hello");
        assert_eq!(statuses(&mut client), [200]);
    }
}

#[test]
fn an_upstream_that_hints_and_dies_is_not_followed_by_another() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request().and_then(|_| peer.send(HINTS));
    });
    let sluice = Sluice::start(&[upstream.address, upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(GET).head().expect("hints").status(), 103);
    assert_eq!(client.response().status(), 502);
    assert_eq!(upstream.connections(), 1);
}
