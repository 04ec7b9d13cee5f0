//! Bodies and trailers, in both directions.

use std::sync::mpsc;

use system_tests::{Client, End, Message, PATIENCE, Sluice, Upstream};

use super::{forwarded, relayed};

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";
const CHUNKED: &str = "Host: host.test\r\nTransfer-Encoding: chunked\r\n";

/// An upstream that sends each request's body back, framed as it came.
fn echoing() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let body = &request.body;
            let head = match request.field("transfer-encoding") {
                Some(_) => format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()),
                None => format!("Content-Length: {}\r\n\r\n", body.len()),
            };
            let end: &[u8] =
                if request.field("transfer-encoding").is_some() { b"\r\n0\r\n\r\n" } else { b"" };
            let _ = peer.send([b"HTTP/1.1 200 OK\r\n", head.as_bytes(), body, end].concat());
        }
    })
}

#[test]
fn a_body_keeps_the_framing_it_came_with() {
    let sized = forwarded("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((sized.text().as_str(), sized.field("content-length").as_deref()), ("hello", Some("5")));
    assert_eq!(sized.field("transfer-encoding"), None);
    let chunked = forwarded(format!("POST / HTTP/1.1\r\n{CHUNKED}\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"));
    assert_eq!(
        (chunked.text().as_str(), chunked.field("transfer-encoding").as_deref()),
        ("hello", Some("chunked"))
    );
    assert_eq!(chunked.field("content-length"), None);
}

#[test]
fn a_length_with_leading_zeros_is_the_number_that_it_is() {
    let seen = forwarded("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 005\r\n\r\nhello");
    assert_eq!(seen.text(), "hello");
}

#[test]
fn an_empty_body_is_empty_on_the_other_side() {
    let none = forwarded("DELETE / HTTP/1.1\r\nHost: host.test\r\n\r\n");
    assert_eq!((none.field("content-length"), none.field("transfer-encoding")), (None, None));
    let zero = forwarded("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(zero.field("content-length").as_deref(), Some("0"));
    assert!(forwarded(format!("POST / HTTP/1.1\r\n{CHUNKED}\r\n0\r\n\r\n")).body.is_empty());
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(relayed(answer, GET).text(), "", "{answer:?}");
    }
}

#[test]
fn a_get_may_have_a_body() {
    let seen = forwarded("GET / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((seen.start.as_str(), seen.text().as_str()), ("GET / HTTP/1.1", "hello"));
}

#[test]
fn large_bodies_arrive_unchanged_in_both_directions_and_both_framings() {
    let body: Vec<u8> = (0_u32..2 << 20).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let upstream = echoing();
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {}\r\n\r\n", body.len()));
    assert!(client.send(&body).response().body == body, "with a length");
    client.send(format!("POST / HTTP/1.1\r\n{CHUNKED}\r\n"));
    for piece in body.chunks(100_000) {
        client.send(format!("{:X}\r\n", piece.len())).send(piece).send("\r\n");
    }
    assert!(client.send("0\r\n\r\n").response().body == body, "in chunks");
}

#[test]
fn an_upload_is_streamed() {
    let (tell, told) = mpsc::channel();
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.head();
        for _ in 0..3 {
            let _ = tell.send(peer.chunk().expect("a chunk"));
        }
        let _ = peer.respond("done");
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("POST / HTTP/1.1\r\n{CHUNKED}\r\n"));
    for piece in ["first", "other"] {
        client.send(format!("5\r\n{piece}\r\n"));
        assert_eq!(
            told.recv_timeout(PATIENCE).expect("it arrives before the next is sent"),
            piece.as_bytes()
        );
    }
    assert_eq!(client.send("0\r\n\r\n").response().text(), "done");
}

#[test]
fn a_download_is_streamed() {
    let (tell, told) = mpsc::channel::<()>();
    let told = std::sync::Mutex::new(told);
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in ["first", "other"] {
            let _ = peer.send(format!("5\r\n{piece}\r\n"));
            let _ = told.lock().expect("one connection").recv_timeout(PATIENCE);
        }
        let _ = peer.send("0\r\n\r\n");
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(GET).head().expect("a head").status(), 200);
    for piece in ["first", "other"] {
        assert_eq!(client.chunk().expect("it arrives before the next is sent"), piece.as_bytes());
        tell.send(()).expect("the upstream waits");
    }
    assert!(client.chunk().expect("the end").is_empty());
}

const TRAILERS: &str =
    "5\r\nhello\r\n0\r\nX-Sum: 5\r\nGrpc-Status: 0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n";

fn names(trailers: &[(String, String)]) -> Vec<&str> {
    let mut names: Vec<_> = trailers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn announced_trailers_reach_the_upstream_without_those_that_frame_or_route() {
    let announced = format!("{CHUNKED}Trailer: X-Sum, Grpc-Status, Content-Length, Host\r\n");
    let seen = forwarded(format!("POST / HTTP/1.1\r\n{announced}\r\n{TRAILERS}"));
    assert_eq!((seen.text().as_str(), names(&seen.trailers)), ("hello", vec!["grpc-status", "x-sum"]));
    assert_eq!(seen.field("host").as_deref(), Some("host.test"));
}

#[test]
fn a_request_whose_trailers_were_not_announced_is_whole() {
    let seen = forwarded(format!("POST / HTTP/1.1\r\n{CHUNKED}\r\n{TRAILERS}"));
    assert_eq!(seen.text(), "hello");
    assert!(names(&seen.trailers).iter().all(|name| ["grpc-status", "x-sum"].contains(name)), "{seen:?}");
}

fn with_trailers(announced: &str, request: &str) -> Message {
    let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{announced}\r\n{TRAILERS}");
    relayed(answer.leak(), request)
}

#[test]
fn announced_trailers_reach_a_client_that_asks_for_them() {
    for te in ["trailers", "gzip;q=0.5, Trailers"] {
        let request = format!("GET / HTTP/1.1\r\nHost: host.test\r\nTE: {te}\r\nConnection: TE\r\n\r\n");
        let answer = with_trailers("Trailer: X-Sum, Grpc-Status\r\n", &request);
        assert_eq!(
            (answer.text().as_str(), names(&answer.trailers)),
            ("hello", vec!["grpc-status", "x-sum"]),
            "{te}"
        );
    }
}

#[test]
fn an_answer_whose_trailers_the_client_did_not_ask_for_is_whole() {
    for announced in ["Trailer: X-Sum, Grpc-Status\r\n", ""] {
        for request in [GET, "GET / HTTP/1.1\r\nHost: host.test\r\nTE: trailers\r\n\r\n"] {
            assert_eq!(with_trailers(announced, request).text(), "hello", "{announced:?} {request:?}");
        }
    }
}

#[test]
fn trailers_end_neither_connection() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (upstream, _seen) = Upstream::recording(format!("{ANSWER}{TRAILERS}"));
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for request in [
        "GET / HTTP/1.1\r\nHost: host.test\r\nTE: trailers\r\n\r\n".to_owned(),
        GET.to_owned(),
        format!("PUT / HTTP/1.1\r\n{CHUNKED}Trailer: X-Sum\r\n\r\n{TRAILERS}"),
        format!("PUT / HTTP/1.1\r\n{CHUNKED}\r\n{TRAILERS}"),
    ] {
        let answer = client.send(&request).response();
        assert_eq!((answer.text().as_str(), answer.closes()), ("hello", false), "{request:?}");
    }
    assert_eq!(upstream.connections(), 1, "the upstream connection is kept");
    assert_eq!(sluice.count("sluicegate_requests_in_flight"), 0);
    client.finish();
    assert_eq!(client.rest(), (vec![], End::Clean));
}

#[test]
fn trailers_that_are_all_refused_leave_a_whole_message() {
    let end = "0\r\nHost: evil\r\n\r\n";
    let seen = forwarded(format!("POST / HTTP/1.1\r\n{CHUNKED}Trailer: Host\r\n\r\n5\r\nhello\r\n{end}"));
    assert_eq!((seen.text().as_str(), seen.trailers.len()), ("hello", 0));
}

#[test]
fn trailers_of_an_answer_to_an_old_client_are_dropped() {
    let answer =
        with_trailers("Trailer: X-Sum\r\n", "GET / HTTP/1.0\r\nHost: host.test\r\nTE: trailers\r\n\r\n");
    assert_eq!((answer.text().as_str(), answer.trailers.len()), ("hello", 0));
}
