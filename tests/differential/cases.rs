//! The inputs, and in what we differ.

use std::borrow::Cow;

use super::Relation;
use Relation::{Laxer, Other, Same, Stricter};

/// One input.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) input: Cow<'static, [u8]>,
    pub(crate) nginx: Relation,
    pub(crate) haproxy: Relation,
    /// Why we differ, if we do.
    pub(crate) reason: &'static str,
}

/// One on which all agree.
pub(crate) const fn same(name: &'static str, input: &'static [u8]) -> Case {
    Case { name, input: Cow::Borrowed(input), nginx: Same, haproxy: Same, reason: "" }
}

/// One on which they do not.
pub(crate) const fn but(
    name: &'static str,
    input: &'static [u8],
    (nginx, haproxy): (Relation, Relation),
    reason: &'static str,
) -> Case {
    Case { name, input: Cow::Borrowed(input), nginx, haproxy, reason }
}

pub(crate) const CASES: &[Case] = &[
    same("a plain request", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("a body with a length", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    same("a chunked body", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    but("an absolute target", b"GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Other), "an upstream is asked for a path: servers of HTTP/1 see no other form elsewhere"),
    same("a field with bytes beyond ASCII", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: \xe4\r\n\r\n"),
    but("a length and a coding", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", (Same, Stricter), "RFC 9112 §6.1 lets a server refuse both framings at once, which no honest client sends"),
    but("a coding and a length", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", (Same, Stricter), "as above"),
    but("two lengths that are equal", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", (Same, Stricter), "RFC 9110 §8.6 lets a recipient refuse; a client that sends two is broken"),
    same("two lengths that differ", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    but("a list of equal lengths", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", (Same, Stricter), "as above"),
    same("a signed length", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    same("an empty length", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    same("an empty length and a valid one", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length:\r\nContent-Length: 5\r\n\r\nhello"),
    same("a length with zeros in front", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello"),
    same("a length that overflows", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello"),
    same("a space before the colon", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"),
    but("a length with an underscore", b"GET /x HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", (Same, Other), "an upstream that reads fields as variables takes it for the length"),
    but("a coding in HTTP/1.0", b"POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (Same, Stricter), "RFC 9112 §6.1: its framing is faulty"),
    same("the coding identity", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    same("two codings", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    same("chunked twice", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    same("chunked in two lines", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    same("an unknown coding", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
    same("a vertical tab before the coding", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    same("an empty element before the coding", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    but("the coding on a second line", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", (Same, Stricter), "RFC 9112 §5.2: a fold is refused; joining it is how a coding is hidden"),
    same("the coding in capitals", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    same("a chunk size with 0x", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    but("a space behind a chunk size", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", (Stricter, Stricter), "RFC 9112 §7.1 knows no white space there, and parsers disagree on it"),
    but("a chunk size of 17 digits", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n0\r\n\r\n", (Stricter, Stricter), "more than sixteen digits overflow in some parsers; no client pads a size"),
    but("a chunk line that ends in LF", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", (Stricter, Stricter), "lines end in CRLF; where one parser ends a line and another does not, a request hides"),
    same("a chunk longer than its size", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n"),
    same("an extension", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"),
    same("an extension with LF", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\nx\r\nhello\r\n0\r\n\r\n"),
    but("an extension with NUL", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\0\r\nhello\r\n0\r\n\r\n", (Stricter, Stricter), "RFC 9112 §7.1.1: no token"),
    but("a semicolon and no extension", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n", (Stricter, Stricter), "RFC 9112 §7.1.1: an extension has a name"),
    but("an end of chunks in LF", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n", (Stricter, Stricter), "lines end in CRLF"),
    same(
        "a GET with chunks",
        b"GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    same("a GET with a body", b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    but("lines that end in LF", b"GET /x HTTP/1.1\nHost: a\n\n", (Stricter, Stricter), "RFC 9112 §2.2 lets a recipient accept LF alone; clients of this age do not send it, and where one parser ends a line at it and another does not, a field or a whole request hides in a value"),
    same("CR in a value", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: a\rb\r\n\r\n"),
    but("NUL in a value", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: a\0b\r\n\r\n", (Same, Stricter), "RFC 9110 §5.5: NUL is refused or replaced, never sent on"),
    but("another control character in a value", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: a\x01b\r\n\r\n", (Stricter, Stricter), "RFC 9110 §5.5: no value has one; HTTP/2 calls it malformed, and so would an upstream that speaks it"),
    but("a third empty line in front", b"\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Stricter), "RFC 9112 §2.2 asks for one; programs have sent one more than their body, and none sends three"),
    but("a method of 33 bytes", b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /x HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Stricter), "the longest that is registered has 17; a limit is needed, or a line without a space would be read to its end"),
    but("a folded value", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: a\r\n b\r\n\r\n", (Same, Stricter), "RFC 9112 §5.2: refused"),
    same("a space before the first field", b"GET /x HTTP/1.1\r\n Host: a\r\n\r\n"),
    but("a line without a colon", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe\r\n\r\n", (Stricter, Same), "it is no field; nginx makes one of it"),
    same("an empty name", b"GET /x HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    but("a name that is no token", b"GET /x HTTP/1.1\r\nHost: a\r\nPro@be: b\r\nProbe(: c\r\n\r\n", (Stricter, Same), "RFC 9110 §5.1: refused; nginx drops the field"),
    but("a name with an underscore", b"GET /x HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: b\r\n\r\n", (Same, Other), "dropped as nginx does: an upstream could take it for X-Forwarded-For"),
    but("HTTP/0.9", b"GET /x\r\n", (Stricter, Same), "it has no host and no fields"),
    but("HTTP/1.2", b"GET /x HTTP/1.2\r\nHost: a\r\n\r\n", (Stricter, Stricter), "there is no such version; 505 says so"),
    but("HTTP/2.0 in text", b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n", (Same, Stricter), "HTTP/2 is not spoken in lines"),
    but("two spaces before the version", b"GET /x  HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Stricter), "RFC 9112 §3: one"),
    same("a space in the target", b"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("two empty lines in front", b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    but("a method in lower case", b"get /x HTTP/1.1\r\nHost: a\r\n\r\n", (Laxer, Same), "RFC 9110 §9.1: methods are case-sensitive tokens, and this is another one than GET"),
    but("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", (Same, Stricter), "a tunnel to anywhere is nothing that an ingress gives"),
    but("TRACE", b"TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Stricter), "it gives back what other proxies have added"),
    but("OPTIONS for the server", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", (Laxer, Same), "RFC 9112 §3.2.4; nginx knows no such target"),
    but("GET for the server", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Stricter), "RFC 9112 §3.2.4: for OPTIONS only"),
    same("a target without a slash", b"GET admin HTTP/1.1\r\nHost: a\r\n\r\n"),
    but("no host", b"GET /x HTTP/1.1\r\n\r\n", (Same, Stricter), "RFC 9112 §3.2: must be refused"),
    but("two hosts that are equal", b"GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", (Same, Stricter), "RFC 9112 §3.2: must be refused"),
    same("two hosts that differ", b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    but("an empty host", b"GET /x HTTP/1.1\r\nHost:\r\n\r\n", (Same, Stricter), "it names no host, and http URIs have a host (RFC 9110 §4.2.1)"),
    but("userinfo in the host", b"GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n", (Stricter, Stricter), "RFC 9110 §7.2: a host has none"),
    but("a path in the host", b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", (Same, Stricter), "RFC 9110 §7.2: a host has none"),
    but("two ports", b"GET /x HTTP/1.1\r\nHost: a:1:2\r\n\r\n", (Stricter, Stricter), "RFC 9110 §7.2: no host"),
    but("a target for another host", b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Same), "RFC 9112 §3.2.2 wants both equal; nginx routes by one and sends on the other"),
    but("a fragment", b"GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Same), "RFC 9112 §3.2: no part of a target"),
    but("a bad escape", b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Stricter), "RFC 3986 §2.1: no URI"),
    but("an escaped NUL", b"GET /x%00y HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Stricter), "it ends a string in many upstreams"),
    same("dot segments", b"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"),
    but("dot segments above the root", b"GET /../b HTTP/1.1\r\nHost: a\r\n\r\n", (Same, Stricter), "a server may take it for a file beside its own"),
    but("an escaped slash beside dots", b"GET /a/..%2fb HTTP/1.1\r\nHost: a\r\n\r\n", (Stricter, Stricter), "upstreams disagree on what it means"),
    same("an escaped slash", b"GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("two slashes", b"GET //a//b HTTP/1.1\r\nHost: a\r\n\r\n"),
    but("bytes beyond ASCII in the target", b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", (Other, Laxer), "sent on escaped, as others would have sent them; haproxy lets only some of them pass"),
    but("bytes beyond ASCII in the query", b"GET /x?\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", (Other, Laxer), "as above"),
    same("nominated host", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n"),
    but("a nominated field", b"GET /x HTTP/1.1\r\nHost: a\r\nProbe: b\r\nConnection: Probe\r\n\r\n", (Other, Other), "RFC 9110 §7.6.1: what Connection names stays on its hop"),
    but("an unknown expectation", b"GET /x HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n", (Stricter, Stricter), "RFC 9110 §10.1.1: 417"),
    same("junk behind a chunked body", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"),
    same("a bad request behind a good one", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost : b\r\n\r\n"),
];
