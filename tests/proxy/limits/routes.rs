//! What a route's own limits refuse, beside the proxy's.

use model::{Filters, Location, LocationPart, Policy, Redirect, RequestFilter};
use system_tests::frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, block};
use system_tests::{Client, End, Sluice, Upstream, eventually, sluice};

/// A gate whose only route takes bodies of so many bytes, and sends clients to https if their body is not too long.
fn taking(most: u64, filters: Vec<RequestFilter>, upstream: &Upstream) -> Sluice {
    let ours = proxy::Protocol { http2_cleartext: true, ..proxy::Protocol::default() };
    let sluice = Sluice::speaking(ours, |config| config.downstream.body_bytes_max = 8, &[]);
    let filters = Filters::new(filters, Vec::new());
    let policy = Policy { request_body_max: Some(most), filters, ..Policy::default() };
    sluice.publish_table(sluice::table_with(2, policy, &[sluice::ready(upstream.address)]));
    sluice
}

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n\r\n{body}")
}

#[test]
fn a_body_of_the_size_that_its_route_takes_passes_and_one_byte_more_is_413() {
    let upstream = Upstream::answering("hello");
    // Beside the proxy's limit, which is 8, the smaller one counts.
    for (most, body, status) in
        [(4, "1234", 200), (4, "12345", 413), (16, "12345678", 200), (16, "123456789", 413)]
    {
        let sluice = taking(most, Vec::new(), &upstream);
        let sized = post(&format!("Content-Length: {}", body.len()), body);
        let chunked = post("Transfer-Encoding: chunked", &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
        for request in [sized, chunked] {
            let mut client = Client::connect(sluice.address);
            let answer = client.send(&request).response();
            assert_eq!((answer.status(), answer.closes()), (status, status == 413), "{most} {request}");
        }
    }
}

#[test]
fn a_body_that_says_that_it_is_too_long_is_413_before_anything_else_that_its_route_says() {
    let upstream = Upstream::answering("hello");
    let to = Location::new([LocationPart::text("https://any.example")]);
    let https = RequestFilter::Https(Redirect { status: 308, to });
    let sluice = taking(4, vec![https], &upstream);
    let ask = |length: usize, fields: &str| {
        let request = post(&format!("{fields}Content-Length: {length}"), "");
        Client::connect(sluice.address).send(request).response().status()
    };
    assert_eq!((ask(5, ""), ask(5, "Expect: 100-continue\r\n"), ask(4, "")), (413, 413, 308));
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn a_stream_whose_body_turns_out_too_long_for_its_route_is_413_and_never_whole() {
    let upstream = Upstream::answering("hello");
    let sluice = taking(4, Vec::new(), &upstream);
    let mut frames = Frames::connect(sluice.address);
    for (id, bodies) in [(1, &["12", "34"][..]), (3, &["12", "345"])] {
        let head = [(":method", "POST"), (":scheme", "http"), (":authority", "host.test"), (":path", "/")];
        frames.send(HEADERS, END_HEADERS, id, &block(&head));
        for body in bodies {
            frames.send(DATA, 0, id, body.as_bytes());
        }
        frames.send(DATA, END_STREAM, id, b"");
    }
    assert_eq!(frames.outcomes([1, 3]), [Outcome::Status(200), Outcome::Status(413)]);
    eventually("the endpoint sees the end", || upstream.ended() >= 1);
    assert_eq!(upstream.requests(), 1);
}

#[test]
fn an_upload_that_is_answered_before_it_is_too_long_keeps_its_answer() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.head().and_then(|_| peer.respond("early"));
        while peer.read_some(1 << 10).is_ok_and(|read| !read.is_empty()) {}
    });
    let sluice = taking(4, Vec::new(), &upstream);
    let mut client = Client::connect(sluice.address);
    let answer = client.send(post("Transfer-Encoding: chunked", "")).response();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "early"));
    client.send("5\r\n12345\r\n0\r\n\r\n");
    assert_eq!(client.rest(), (vec![], End::Clean));
}
