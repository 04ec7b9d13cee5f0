//! What a client of HTTP/2 may not say (RFC 9113 §8): frames are written by hand, and the one request behind each bad one
//! shows what the connection is still good for.

mod cases;

use std::io::{Read, Write};
use std::sync::Arc;

use model::{HostMatch, Published};
use proxy::{Protocol, Tls};
use system_tests::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, PROTOCOL_ERROR, block,
};
use system_tests::{Authority, Secure, Sluice, Upstream};
use tls::{Certificate, Certificates, Entry, HTTP_2, Tickets};

use self::cases::Expected::{GoAway, Reset, ResetOr, Status};
use self::cases::{A, CASES, Case, Expected, M, P, POST, S};
use super::{Bench, Failures};

fn bench() -> Bench {
    Bench::speaking(Protocol { http2_cleartext: true, ..Protocol::default() })
}

/// What becomes of a good request.
fn good(frames: &mut Frames<impl Read + Write>, id: u32) -> Outcome {
    frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&[M, S, A, (":path", b"/plain")]));
    frames.outcome(id)
}

fn is_as(expected: Expected, outcome: Outcome) -> bool {
    match (expected, outcome) {
        (Reset | ResetOr(_), Outcome::Reset(code)) => code == PROTOCOL_ERROR,
        (GoAway, Outcome::GoAway(code)) => code == PROTOCOL_ERROR,
        (Status(status) | ResetOr(status), Outcome::Status(was)) => was == status,
        _ => false,
    }
}

/// Sends a case, and a good request behind it.
fn hold(bench: &Bench, case: &Case, mut frames: Frames<impl Read + Write>) -> Result<(), String> {
    let before = bench.upstream.received();
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(case.fields));
    let outcome = frames.outcome(1);
    let heard = bench.upstream.received() - before;
    let after = match case.expected {
        GoAway => Outcome::Status(200),
        _ => good(&mut frames, 3),
    };
    match () {
        () if !is_as(case.expected, outcome) => Err(format!("{outcome:?}")),
        () if heard > 0 && outcome != Outcome::Status(200) => {
            Err(format!("{heard} bytes reached the upstream"))
        }
        () if after != Outcome::Status(200) => Err(format!("then a good request came to {after:?}")),
        () => Ok(()),
    }
}

#[test]
fn a_malformed_request_of_http2_is_refused_alone_and_the_upstream_does_not_hear_of_it() {
    let (bench, mut failures) = (bench(), Failures::default());
    for case in CASES {
        let frames = Frames::connect(bench.sluice.address);
        failures.note(case.row, case.what.as_bytes(), hold(&bench, case, frames));
    }
    failures.none();
}

#[test]
fn tls_makes_no_difference_to_it() {
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["a"]);
    let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
    let entry = Entry::new("test/a", vec![Arc::new(certificate)]).unwrap();
    let certificates = Published::new(Certificates::new([(entry, vec![HostMatch::parse("a").unwrap()])]));
    let secure = Some(Arc::new(Tls::new(certificates, Tickets::default(), &[HTTP_2])));
    let bench = Bench::of(Protocol { tls: secure, ..Protocol::default() });
    let mut config = (*authority.client()).clone();
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    let (config, mut failures) = (Arc::new(config), Failures::default());
    for case in CASES {
        let frames = Secure::connect(bench.sluice.address, "a", &config).into_frames();
        failures.note(case.row, case.what.as_bytes(), hold(&bench, case, frames));
    }
    failures.none();
}

/// Rows of this table.
pub(super) fn rows() -> impl Iterator<Item = u32> {
    CASES.iter().map(|case| case.row).chain([130, 136, 142, 143, 145])
}

#[test]
fn a_target_of_http2_is_escaped_as_one_of_http1_is() {
    let (upstream, seen) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    let sluice = Sluice::speaking(protocol, |_| {}, &[upstream.address]);
    for (came, sent) in [
        ("/\u{e4}?\u{e4}", "/%C3%A4?%C3%A4"),
        ("/\"{x}^|\\", "/%22%7Bx%7D%5E|\\"),
        ("/x?{y}^`|\\", "/x?{y}^`|\\"),
        ("/{x}/../{y}", "/%7Bx%7D/../%7By%7D"),
    ] {
        let mut frames = Frames::connect(sluice.address);
        let path = (":path", came.as_bytes());
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[M, S, A, path]));
        assert_eq!(frames.outcome(1), Outcome::Status(200), "row 137: {came}");
        assert_eq!(seen.recv_timeout(system_tests::PATIENCE).unwrap().target(), sent, "row 137: {came}");
    }
}

#[test]
fn a_body_that_differs_from_its_length_is_never_whole() {
    let bench = bench();
    let post = |length: &'static [u8]| block(&[POST, S, A, P, ("content-length", length)]);
    for (length, pieces) in
        [(&b"5"[..], &[&b"hell"[..]][..]), (b"5", &[b"hellox"]), (b"5", &[b"hello", b"x"]), (b"0", &[b"x"])]
    {
        let whole = bench.upstream.requests();
        let mut frames = Frames::connect(bench.sluice.address);
        frames.send(HEADERS, END_HEADERS, 1, &post(length));
        for (place, piece) in pieces.iter().enumerate() {
            let end = if place + 1 == pieces.len() { END_STREAM } else { 0 };
            frames.send(DATA, end, 1, piece);
        }
        let outcome = frames.outcome(1);
        assert_eq!(outcome, Outcome::Reset(PROTOCOL_ERROR), "row 142: {pieces:?} of {length:?}");
        assert_eq!(good(&mut frames, 3), Outcome::Status(200), "row 142: {pieces:?} of {length:?}");
        // What has its length may be on its way when more comes; that is never sent on.
        let most = if pieces.len() == 2 || length == b"0" { 2 } else { 1 };
        assert!((1..=most).contains(&(bench.upstream.requests() - whole)), "row 142: {pieces:?}");
    }
}

#[test]
fn pseudo_fields_in_trailers_do_not_reach_the_upstream() {
    // h2 drops those that stand first without a word, and takes the others for malformed.
    for (trailers, expected) in [
        (&[P][..], Status(200)),
        (&[(":status", b"200")], Status(200)),
        (&[("x", b"1"), A], Reset),
        (&[("X", b"1")], GoAway),
        (&[("connection", b"x")], Reset),
    ] {
        let (upstream, seen) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
        let sluice = Sluice::speaking(protocol, |_| {}, &[upstream.address]);
        let mut frames = Frames::connect(sluice.address);
        frames.send(HEADERS, END_HEADERS, 1, &block(&[POST, S, A, P, ("trailer", b"path, status, x")]));
        frames.send(DATA, 0, 1, b"hello");
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(trailers));
        let outcome = frames.outcome(1);
        assert!(is_as(expected, outcome), "row 143: {trailers:?}: {outcome:?}");
        if let GoAway = expected {
            continue;
        }
        assert_eq!(good(&mut frames, 3), Outcome::Status(200), "row 143: {trailers:?}");
        let first = seen.recv_timeout(system_tests::PATIENCE).unwrap();
        assert!(first.trailers.is_empty(), "row 143: {first:?}");
        assert_eq!(first.target(), if outcome == Outcome::Status(200) { "/x" } else { "/plain" });
    }
}

#[test]
fn fields_and_crumbs_of_cookies_are_counted_alike() {
    let bench = bench();
    for (name, value, many, status) in
        [("x", "y", 256, 200), ("x", "y", 257, 431), ("cookie", "a=1", 200, 200), ("cookie", "a=1", 257, 431)]
    {
        let mut fields = vec![(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/x")];
        fields.extend(std::iter::repeat_n((name, value), many));
        let before = bench.upstream.requests();
        let mut frames = Frames::connect(bench.sluice.address);
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
        assert_eq!(frames.outcome(1), Outcome::Status(status), "row 130: {many} of {name}");
        assert_eq!(
            bench.upstream.requests() - before,
            usize::from(status == 200),
            "row 130: {many} of {name}"
        );
        assert_eq!(good(&mut frames, 3), Outcome::Status(200), "row 130: {many} of {name}");
    }
}

#[test]
fn white_space_around_a_value_of_http2_does_not_reach_the_upstream() {
    let (upstream, seen) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    let sluice = Sluice::speaking(protocol, |_| {}, &[upstream.address]);
    let mut frames = Frames::connect(sluice.address);
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[M, S, A, P, ("x", b" \t1 \t")]));
    match frames.outcome(1) {
        // RFC 9113 §8.2.1 calls it malformed; on the way to HTTP/1 it would be trimmed by the reader.
        Outcome::Reset(code) => assert_eq!(code, PROTOCOL_ERROR, "row 136"),
        outcome => {
            assert_eq!(outcome, Outcome::Status(200), "row 136");
            assert_eq!(seen.recv_timeout(system_tests::PATIENCE).unwrap().field("x").as_deref(), Some("1"));
        }
    }
}

#[test]
fn a_head_in_pieces_is_one_head_and_a_frame_between_them_ends_the_connection() {
    let bench = bench();
    let head = block(&[M, S, A, P]);
    let mut frames = Frames::connect(bench.sluice.address);
    frames.send(HEADERS, END_STREAM, 1, &head[..9]);
    frames.send(CONTINUATION, END_HEADERS, 1, &head[9..]);
    assert_eq!(frames.outcome(1), Outcome::Status(200), "row 145");
    frames.send(HEADERS, END_STREAM, 3, &head[..9]);
    frames.send(DATA, 0, 3, b"x");
    assert_eq!(frames.outcome(3), Outcome::GoAway(PROTOCOL_ERROR), "row 145");
}
