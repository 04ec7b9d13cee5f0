//! After what a route lets its requests be tried at another endpoint.

use std::num::NonZeroU16;
use std::time::Duration;

use model::{Balance, Policy, Retry, RetryOn, Timeouts};
use system_tests::{Client, Gate, PATIENCE, Sluice, Upstream, sluice};

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n\r\nbody";
const PUT: &str =
    "PUT / HTTP/1.1\r\nHost: host.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";

/// An endpoint that answers each request with this.
fn saying(answer: &str) -> Upstream {
    let answer = answer.to_owned();
    Upstream::scripted(move |peer| while peer.request().is_ok() && peer.send(&answer).is_ok() {})
}

fn status(line: &str) -> Upstream {
    saying(&format!("HTTP/1.1 {line}\r\nContent-Length: 3\r\n\r\nbad"))
}

fn on(words: &str) -> Retry {
    let words = words.split_whitespace().map(|word| RetryOn::parse(word).unwrap());
    Retry { on: words.reduce(RetryOn::and), ..Retry::default() }
}

/// A gate to these endpoints, in turn.
fn gate(retry: Retry, endpoints: &[&Upstream]) -> Sluice {
    let timeouts = Timeouts { response: Some(Duration::from_millis(300)), ..Timeouts::default() };
    let policy = Policy { balance: Balance::RoundRobin, timeouts, retry, ..Policy::default() };
    let sluice = Sluice::start(&[]);
    let endpoints: Vec<_> = endpoints.iter().map(|upstream| sluice::ready(upstream.address)).collect();
    sluice.publish_table(sluice::table_with(2, policy, &endpoints));
    sluice
}

fn ask(sluice: &Sluice, request: &str) -> (u16, String) {
    let answer = Client::connect(sluice.address).send(request).response();
    (answer.status(), answer.text())
}

/// The statuses of two requests, one of which begins at each endpoint.
fn both(sluice: &Sluice, request: &str) -> [u16; 2] {
    let mut statuses = [0; 2].map(|_| ask(sluice, request).0);
    statuses.sort_unstable();
    statuses
}

#[test]
fn an_answer_with_a_status_that_its_route_names_is_asked_for_elsewhere_where_it_may_be() {
    let good = Upstream::answering("hello");
    for (words, request, statuses) in [
        ("error http_503", GET, [200, 200]),
        ("http_503", PUT, [200, 200]),
        ("http_503", POST, [200, 503]),
        ("http_503 non_idempotent", POST, [200, 200]),
        ("http_502 http_404", GET, [200, 503]),
        ("", GET, [200, 503]),
    ] {
        let bad = status("503 Service Unavailable");
        let sluice = gate(on(words), &[&bad, &good]);
        assert_eq!(both(&sluice, request), statuses, "{words} {request}");
        assert!(bad.requests() >= 1, "{words} {request}");
    }
}

#[test]
fn the_last_answer_is_passed_on_whatever_its_status() {
    let bad = [0; 4].map(|_| status("404 Not Found"));
    let all = bad.each_ref();
    let tries = |count| Retry { attempts: NonZeroU16::new(count), ..on("http_404") };
    for (retry, endpoints, requests) in [
        (on("http_404"), &all[..1], 1),
        (on("http_404"), &all[..2], 2),
        (on("http_404"), &all[..], 3),
        (tries(2), &all[..], 2),
    ] {
        let before: usize = bad.iter().map(Upstream::requests).sum();
        assert_eq!(ask(&gate(retry, endpoints), GET), (404, "bad".to_owned()));
        assert_eq!(bad.iter().map(Upstream::requests).sum::<usize>() - before, requests);
    }
}

#[test]
fn a_late_answer_or_one_that_is_none_of_http_is_asked_for_elsewhere_where_its_route_says_so() {
    let (good, never) = (Upstream::answering("hello"), Gate::default());
    for (words, request, late, junk) in [
        ("error timeout", GET, 200, 502),
        ("timeout", POST, 504, 502),
        ("invalid_header", GET, 504, 200),
        ("", GET, 504, 502),
    ] {
        let silent = Upstream::gated(&never, "late");
        assert_eq!(both(&gate(on(words), &[&silent, &good]), request), [200, late], "{words}");
        let odd = saying("junk\r\n\r\n");
        assert_eq!(both(&gate(on(words), &[&odd, &good]), request), [200, junk], "{words}");
    }
    never.open();
}

#[test]
fn a_connection_that_ends_is_no_reason_where_its_route_does_not_name_it_but_one_that_is_refused_is() {
    let good = Upstream::answering("hello");
    let closing = Upstream::scripted(|peer| drop(peer.request()));
    assert_eq!(both(&gate(on("http_503"), &[&closing, &good]), GET), [200, 502]);
    let sluice = gate(on("http_503"), &[]);
    let policy = Policy { retry: on("http_503"), balance: Balance::RoundRobin, ..Policy::default() };
    let endpoints = [sluice::ready(Upstream::refusing()), sluice::ready(good.address)];
    sluice.publish_table(sluice::table_with(3, policy, &endpoints));
    assert_eq!(both(&sluice, POST), [200, 200]);
}

#[test]
fn after_its_time_a_request_is_not_tried_again() {
    let good = Upstream::answering("hello");
    for (within, statuses) in [(Duration::from_millis(10), [200, 503]), (PATIENCE, [200, 200])] {
        let bad = Upstream::scripted(|peer| {
            while peer.request().is_ok() {
                std::thread::sleep(Duration::from_millis(50));
                let _ = peer.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let retry = Retry { within: Some(within), ..on("http_503") };
        assert_eq!(both(&gate(retry, &[&bad, &good]), GET), statuses, "{within:?}");
    }
}

#[test]
fn what_an_endpoint_resets_before_it_is_written_goes_to_another_with_its_body_or_not_at_all() {
    let (whole, requests) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let resetting = Upstream::scripted(system_tests::Peer::reset);
    let sluice = gate(Retry::default(), &[&resetting, &whole]);
    for request in [POST, PUT].into_iter().cycle().take(200) {
        let (status, _) = ask(&sluice, request);
        assert!([200, 502].contains(&status), "{status}: an endpoint waited for a body that did not come");
    }
    for request in requests.try_iter() {
        assert_eq!(request.text(), "body");
    }
}
