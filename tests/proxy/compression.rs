//! Answers that a route compresses, on their way.

use std::io::{Read, Write};

use flate2::write::GzDecoder;
use model::{Compression, Filters, Policy, ResponseFilter};
use system_tests::{Client, Gate, Sluice, Upstream, sluice};

const ASK: &str = "GET / HTTP/1.1\r\nHost: host.test\r\nAccept-Encoding: gzip\r\nTE: trailers\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\n\
                       Transfer-Encoding: chunked\r\n\r\n";

fn gate(upstream: &Upstream) -> Sluice {
    let types = ["text/plain"].map(Box::from).into();
    let compress = ResponseFilter::Compress(Compression { level: 1, length_min: 20, types });
    let policy = Policy { filters: Filters::new(Vec::new(), vec![compress]), ..Policy::default() };
    let sluice = Sluice::start(&[]);
    sluice.publish_table(sluice::table_with(2, policy, &[sluice::ready(upstream.address)]));
    sluice
}

/// An endpoint that says the beginning of an answer, and the rest when the gate is open.
fn saying(begin: &str, gate: &Gate, rest: &'static str) -> Upstream {
    let (begin, gate) = (format!("{CHUNKED}{begin}"), gate.clone());
    Upstream::scripted(move |peer| {
        while peer.request().is_ok() && peer.send(&begin).is_ok() {
            gate.pass();
            if rest.is_empty() || peer.send(rest).is_err() {
                return;
            }
        }
    })
}

#[test]
fn what_an_endpoint_has_said_reaches_a_client_though_it_says_no_more_for_now() {
    let more = Gate::default();
    let upstream = saying("5\r\nhello\r\n", &more, "6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
    let sluice = gate(&upstream);
    let mut client = Client::connect(sluice.address);
    let head = client.send(ASK).head().unwrap();
    assert_eq!(head.field("content-encoding").as_deref(), Some("gzip"));
    let mut decoder = GzDecoder::new(Vec::new());
    while decoder.get_ref() != b"hello" {
        decoder.write_all(&client.chunk().unwrap()).unwrap();
        decoder.flush().unwrap();
    }
    more.open();
    while decoder.get_ref() != b"hello world" {
        decoder.write_all(&client.chunk().unwrap()).unwrap();
        decoder.flush().unwrap();
    }
    let mut again = Client::connect(sluice.address);
    for _ in 0..2 {
        let answer = again.send(ASK).response();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), answer.trailers), ("hello world", vec![("x-sum".into(), "11".into())]));
    }
}

#[test]
fn an_answer_that_breaks_off_is_not_whole_because_it_is_compressed() {
    let end = Gate::default();
    let sluice = gate(&saying("5\r\nhello\r\n", &end, ""));
    let mut client = Client::connect(sluice.address);
    let head = client.send(ASK).head().unwrap();
    end.open();
    client.read_body(&head).expect_err("it is cut");
}

#[test]
fn a_short_answer_is_left_alone_and_says_that_a_long_one_would_not_be_for_every_client() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let body = "x".repeat(request.target()[1..].parse().unwrap());
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n");
            let _ = peer.send(head + &body);
        }
    });
    let sluice = gate(&upstream);
    let mut client = Client::connect(sluice.address);
    for (length, accepts, coding, vary) in [
        (19, "gzip", None, None),
        (20, "gzip", Some("gzip"), Some("Accept-Encoding")),
        (20, "br", None, Some("Accept-Encoding")),
    ] {
        let ask = format!("GET /{length} HTTP/1.1\r\nHost: host.test\r\nAccept-Encoding: {accepts}\r\n\r\n");
        let answer = client.send(ask).response();
        assert_eq!(
            (answer.field("content-encoding").as_deref(), answer.field("vary").as_deref()),
            (coding, vary)
        );
        assert_eq!(answer.field("content-length").is_some(), coding.is_none());
    }
}
