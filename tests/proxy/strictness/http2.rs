//! What a client of HTTP/2 may not say (RFC 9113 §8): frames are written by hand, and the one request behind each bad one
//! shows what the connection is still good for.

use std::io::{Read, Write};
use std::sync::Arc;

use model::{HostMatch, Published};
use proxy::{Protocol, Tls};
use system_tests::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, PROTOCOL_ERROR, block,
};
use system_tests::{Authority, Secure, Sluice, Upstream};
use tls::{Certificate, Certificates, Entry, HTTP_2, Tickets};

use super::{Bench, Failures};

type Fields = &'static [(&'static str, &'static [u8])];

/// What is to become of the stream.
#[derive(Clone, Copy)]
enum Expected {
    /// It is reset as malformed, and the connection goes on.
    Reset,
    /// It gets this answer, and the connection goes on.
    Status(u16),
    /// Either: the library or we notice it first.
    ResetOr(u16),
    /// The whole connection ends: h2 takes what it cannot make a field of for a broken compression (RFC 9113 §5.4.2
    /// leaves that to the receiver), and all streams are one client's.
    GoAway,
}
use Expected::{GoAway, Reset, ResetOr, Status};

struct Case {
    row: u32,
    what: &'static str,
    /// In the order in which they are written.
    fields: Fields,
    expected: Expected,
}

const fn case(row: u32, what: &'static str, fields: Fields, expected: Expected) -> Case {
    Case { row, what, fields, expected }
}

const M: (&str, &[u8]) = (":method", b"GET");
const POST: (&str, &[u8]) = (":method", b"POST");
const S: (&str, &[u8]) = (":scheme", b"http");
const A: (&str, &[u8]) = (":authority", b"a");
const P: (&str, &[u8]) = (":path", b"/x");

const CASES: &[Case] = &[
    case(134, "an upper-case name", &[M, S, A, P, ("X-Up", b"1")], GoAway),
    case(135, "CR and LF in a value", &[M, S, A, P, ("x", b"1\r\ny: 2")], GoAway),
    case(135, "LF in a value", &[M, S, A, P, ("x", b"1\n")], GoAway),
    case(135, "NUL in a value", &[M, S, A, P, ("x", b"1\0")], GoAway),
    case(135, "a control character in a value", &[M, S, A, P, ("x", b"1\x01")], GoAway),
    case(136, "a colon in a name", &[M, S, A, P, ("x:y", b"1")], GoAway),
    case(136, "a space in a name", &[M, S, A, P, ("x y", b"1")], GoAway),
    case(136, "a line in a name", &[M, S, A, P, ("x\r\ny", b"1")], GoAway),
    case(136, "an empty name", &[M, S, A, P, ("", b"1")], GoAway),
    case(136, "a name beyond ASCII", &[M, S, A, P, ("\u{e4}", b"1")], GoAway),
    case(137, "an empty path", &[M, S, A, (":path", b"")], ResetOr(400)),
    case(137, "a path with a space", &[M, S, A, (":path", b"/x y")], ResetOr(400)),
    case(137, "a path without a slash", &[M, S, A, (":path", b"x")], ResetOr(400)),
    // h2 cuts the fragment off before we can see it; what is routed by is what is sent on.
    case(137, "a path with a fragment", &[M, S, A, (":path", b"/plain#y")], Status(200)),
    case(137, "a whole URI as path", &[M, S, A, (":path", b"http://b/x")], ResetOr(400)),
    case(137, "a query only", &[M, S, A, (":path", b"?x")], ResetOr(400)),
    case(137, "an asterisk for GET", &[M, S, A, (":path", b"*")], ResetOr(400)),
    case(137, "a line in the path", &[M, S, A, (":path", b"/x HTTP/1.1\r\nx: y")], ResetOr(400)),
    case(137, "what is no UTF-8 in the path", &[M, S, A, (":path", b"/\xc0\xaf")], GoAway),
    case(137, "a control character in the path", &[M, S, A, (":path", b"/x\x7f")], ResetOr(400)),
    // h2's, not ours: over HTTP/1 it is sent on escaped.
    case(137, "brackets in the query", &[M, S, A, (":path", b"/x?<y>")], ResetOr(400)),
    case(137, "a bad escape", &[M, S, A, (":path", b"/%zz")], Status(400)),
    case(137, "an escaped slash beside dots", &[M, S, A, (":path", b"/x/..%2fy")], Status(400)),
    case(138, "a request line as method", &[(":method", b"GET / HTTP/1.1\r\nx: y"), S, A, P], GoAway),
    case(138, "a space in the method", &[(":method", b"GE T"), S, A, P], GoAway),
    case(138, "an empty method", &[(":method", b""), S, A, P], GoAway),
    case(138, "a long method", &[(":method", b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG"), S, A, P], Status(400)),
    case(138, "a line in the scheme", &[M, (":scheme", b"http\r\nx: y"), A, P], ResetOr(400)),
    case(138, "a URI as scheme", &[M, (":scheme", b"http://a/?"), A, P], ResetOr(400)),
    case(138, "an unknown scheme", &[M, (":scheme", b"ftp"), A, P], Status(400)),
    case(138, "TRACE", &[(":method", b"TRACE"), S, A, P], Status(405)),
    case(139, "a host that is another", &[M, S, A, P, ("host", b"b")], Status(400)),
    case(139, "two hosts", &[M, S, A, P, ("host", b"a"), ("host", b"a")], Status(400)),
    case(140, "neither authority nor host", &[M, S, P], ResetOr(400)),
    case(140, "an empty authority", &[M, S, (":authority", b""), P], ResetOr(400)),
    case(140, "userinfo", &[M, S, (":authority", b"u@a"), P], ResetOr(400)),
    case(140, "userinfo with a password", &[M, S, (":authority", b"u:p@a"), P], ResetOr(400)),
    case(140, "a path in the authority", &[M, S, (":authority", b"a/b"), P], ResetOr(400)),
    case(140, "a port that is none", &[M, S, (":authority", b"a:99999"), P], ResetOr(400)),
    case(140, "a line in the authority", &[M, S, (":authority", b"a\r\nx: y"), P], ResetOr(400)),
    case(141, "connection", &[M, S, A, P, ("connection", b"close")], Reset),
    case(141, "connection that nominates", &[M, S, A, P, ("connection", b"x-forwarded-for")], Reset),
    case(141, "keep-alive", &[M, S, A, P, ("keep-alive", b"timeout=5")], Reset),
    case(141, "proxy-connection", &[M, S, A, P, ("proxy-connection", b"keep-alive")], Reset),
    case(141, "te: gzip", &[M, S, A, P, ("te", b"gzip")], Reset),
    case(141, "te: trailers, gzip", &[M, S, A, P, ("te", b"trailers, gzip")], Reset),
    case(141, "transfer-encoding", &[M, S, A, P, ("transfer-encoding", b"chunked")], Reset),
    case(141, "upgrade", &[M, S, A, P, ("upgrade", b"websocket")], Reset),
    case(142, "a length and no body", &[M, S, A, P, ("content-length", b"5")], Reset),
    case(142, "a length that is none", &[M, S, A, P, ("content-length", b"+0")], Reset),
    case(142, "two lengths", &[M, S, A, P, ("content-length", b"0"), ("content-length", b"5")], Reset),
    case(143, "two methods", &[M, M, S, A, P], Reset),
    case(143, "two paths", &[M, S, A, P, (":path", b"/y")], Reset),
    case(143, "two authorities", &[M, S, A, (":authority", b"b"), P], Reset),
    case(143, "a pseudo-field behind a field", &[M, S, A, ("x", b"1"), P], Reset),
    case(143, "an unknown pseudo-field", &[M, S, A, P, (":x", b"1")], GoAway),
    case(143, "a status", &[M, S, A, P, (":status", b"200")], Reset),
    case(143, "no method", &[S, A, P], Reset),
    case(143, "no scheme", &[M, A, P], Reset),
    case(143, "no path", &[M, S, A], Reset),
    case(144, "CONNECT", &[(":method", b"CONNECT"), (":authority", b"a:443")], ResetOr(405)),
    case(144, "CONNECT with a path", &[(":method", b"CONNECT"), S, A, P], ResetOr(405)),
    case(
        144,
        "an extended CONNECT for what is not offered",
        &[(":method", b"CONNECT"), (":protocol", b"connect-udp"), S, A, P],
        Status(501),
    ),
    case(144, "a protocol without CONNECT", &[M, (":protocol", b"websocket"), S, A, P], Reset),
];

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
    let config = tls::server_config(&certificates, &Tickets::default(), &[HTTP_2]);
    let secure = Some(Arc::new(Tls { config, certificates }));
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
