//! Requests that an endpoint of HTTP/2 refuses, and says that it has not looked at them (RFC 9113 §8.7).

use model::Protocol;
use system_tests::{Client, How, RefusingUpstream, Sluice};

fn sluice(upstream: &RefusingUpstream) -> Sluice {
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Protocol::Grpc, &[upstream.address]);
    sluice
}

/// A POST with a body of this length: the status, and whether the body came back.
fn post(sluice: &Sluice, length: usize) -> (u16, bool) {
    let body = "x".repeat(length);
    let mut client = Client::connect(sluice.address);
    client.send(format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {length}\r\n\r\n{body}"));
    let answer = client.response();
    (answer.status(), answer.text() == body)
}

#[test]
fn a_post_that_was_refused_unseen_is_sent_again_with_its_body() {
    for how in [How::Stream, How::Connection] {
        let upstream = RefusingUpstream::start(how, 2);
        let sluice = sluice(&upstream);
        assert_eq!(post(&sluice, 1000), (200, true), "{how:?}");
        assert_eq!(upstream.counts(), (2, 1), "{how:?}");
        assert_eq!(sluice.count("sluicegate_retries_total"), 2, "{how:?}");
    }
}

#[test]
fn a_post_that_was_refused_unseen_goes_to_another_endpoint_if_there_is_one() {
    let refusing = RefusingUpstream::start(How::Stream, usize::MAX);
    let good = RefusingUpstream::start(How::Stream, 0);
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Protocol::Grpc, &[refusing.address, good.address]);
    for turn in 0..40 {
        let refused = refusing.counts().0;
        assert_eq!(post(&sluice, 1000), (200, true));
        assert!(refusing.counts().0 - refused <= 1, "turn {turn}: asked once at most");
    }
    assert!(refusing.counts().0 > 0);
}

#[test]
fn a_post_that_may_have_been_seen_is_not() {
    let upstream = RefusingUpstream::start(How::Seen, 1);
    let sluice = sluice(&upstream);
    assert_eq!(post(&sluice, 1000).0, 502);
    assert_eq!(upstream.counts(), (1, 0));
    assert_eq!(post(&sluice, 1000), (200, true));
}

#[test]
fn of_a_long_body_nothing_is_kept() {
    let upstream = RefusingUpstream::start(How::Stream, 1);
    let sluice = sluice(&upstream);
    assert_eq!(post(&sluice, 100_000).0, 502);
    assert_eq!(post(&sluice, 100_000), (200, true), "and it passes whole");
}
