//! What reaches the upstream, and what comes back.

mod bodies;
mod expectations;
mod headers;
mod many;
mod responses;
mod targets;

use system_tests::{Client, Message, PATIENCE, Sluice, Upstream};

const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Sends one request and returns what its upstream got.
fn forwarded(request: impl AsRef<[u8]>) -> Message {
    let (upstream, seen) = Upstream::recording(EMPTY);
    let sluice = Sluice::start(&[upstream.address]);
    let answer = Client::connect(sluice.address).send(&request).response();
    assert_eq!(answer.status(), 200, "{:?}", String::from_utf8_lossy(request.as_ref()));
    seen.recv_timeout(PATIENCE).expect("the upstream has answered")
}

/// Asks an upstream that answers with these bytes, and returns what its client gets.
fn relayed(answer: &'static str, request: &str) -> Message {
    let (upstream, _seen) = Upstream::recording(answer);
    let sluice = Sluice::start(&[upstream.address]);
    Client::connect(sluice.address).send(request).try_response().expect(answer)
}

#[test]
fn a_request_reaches_its_upstream_and_the_connection_is_kept_on_both_sides() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..3 {
        let answer = client.get("/a?b=c");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"));
    }
    assert_eq!((upstream.requests(), upstream.connections()), (3, 1));
}
