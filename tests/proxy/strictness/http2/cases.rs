//! Heads that are malformed, or that another parser would read otherwise, and what becomes of each.

use Expected::{GoAway, Reset, ResetOr, Status};

type Fields = &'static [(&'static str, &'static [u8])];

/// What is to become of the stream.
#[derive(Clone, Copy)]
pub(super) enum Expected {
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

pub(super) struct Case {
    pub(super) row: u32,
    pub(super) what: &'static str,
    /// In the order in which they are written.
    pub(super) fields: Fields,
    pub(super) expected: Expected,
}

const fn case(row: u32, what: &'static str, fields: Fields, expected: Expected) -> Case {
    Case { row, what, fields, expected }
}

pub(super) const M: (&str, &[u8]) = (":method", b"GET");
pub(super) const POST: (&str, &[u8]) = (":method", b"POST");
pub(super) const S: (&str, &[u8]) = (":scheme", b"http");
pub(super) const A: (&str, &[u8]) = (":authority", b"a");
pub(super) const P: (&str, &[u8]) = (":path", b"/x");

pub(super) const CASES: &[Case] = &[
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
