//! What stands behind a good request must not harm it, and is answered in its turn.

use std::time::Duration;

use system_tests::{Client, Sluice, Upstream};

/// Heads of which not a byte reaches hyper: their first line is bad.
const BAD: &str = "BAD\r\n\r\n";

#[test]
fn a_bad_request_line_behind_an_answer_without_a_body_is_answered_in_its_turn() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let answer = match request.target() {
                "/204" => "HTTP/1.1 204 No Content\r\n\r\n",
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            };
            if peer.send(answer).is_err() {
                return;
            }
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    for (method, target, status) in
        [("GET", "/200", 200), ("GET", "/204", 204), ("HEAD", "/200", 200), ("GET", "/%zz", 400)]
    {
        let mut client = Client::connect(sluice.address);
        client.send(format!("{method} {target} HTTP/1.1\r\nHost: host.test\r\n\r\n{BAD}"));
        assert_eq!(client.response().status(), status, "{method} {target}");
        if status != 400 {
            assert_eq!(client.response().status(), 400, "{method} {target}");
        }
        assert!(client.sees_eof(), "{method} {target}");
    }
}

#[test]
fn a_refusal_is_never_written_into_the_response_before_it() {
    const SIZES: [usize; 6] = [200_000, 1_000_000, 2_600_000, 4_340_000, 5_000_000, 6_000_000];
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let size = request.target()[1..].parse().unwrap_or(0);
            if peer.respond(&"x".repeat(size)).is_err() {
                return;
            }
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    for size in SIZES {
        let mut client = Client::connect(sluice.address);
        client.send(format!("GET /{size} HTTP/1.1\r\nHost: host.test\r\n\r\n{BAD}"));
        // The client reads late, so that the end of the response waits in the proxy.
        assert!(!client.is_quiet_for(Duration::from_millis(300)));
        let answer = client.response();
        assert!(answer.body.len() == size && answer.body.iter().all(|b| *b == b'x'), "{size}");
        assert_eq!(client.response().status(), 400, "{size}");
    }
}

#[test]
fn junk_behind_a_request_does_not_keep_it_from_being_tried_again() {
    let upstream = Upstream::scripted(|peer| {
        while peer.request().is_ok() {
            // The first connection dies at its first request.
            if peer.place == 0 || peer.respond("again").is_err() {
                return;
            }
        }
    });
    let other = Upstream::answering("again");
    let sluice = Sluice::start(&[upstream.address, other.address]);
    for _ in 0..8 {
        let mut client = Client::connect(sluice.address);
        client.send(format!("GET / HTTP/1.1\r\nHost: host.test\r\n\r\n{BAD}"));
        assert_eq!(client.response().text(), "again");
        assert_eq!(client.response().status(), 400);
    }
}
