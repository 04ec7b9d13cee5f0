//! What an endpoint of HTTP/1 is sent of a client's request of HTTP/1.

use super::{Row, check, forwarded};

const ROWS: &[Row] = &[
    (
        "names are written in lower case",
        "GET / HTTP/1.1\r\nHOST: a\r\nX-CamelCase: Value\r\n\r\n",
        "GET / HTTP/1.1 | host: a | x-camelcase: Value",
    ),
    (
        "fields of one name stay apart and in order",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 2\r\nY: 1\r\nX: 1\r\n\r\n",
        "GET / HTTP/1.1 | host: a | x: 2 | x: 1 | y: 1",
    ),
    (
        "white space around a value goes, that within stays",
        "GET / HTTP/1.1\r\nHost: a\r\nX:  \t a \t b \t \r\n\r\n",
        "GET / HTTP/1.1 | host: a | x: a \t b",
    ),
    ("an empty value stays", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", "GET / HTTP/1.1 | host: a | x: "),
    (
        "bytes beyond ASCII stay as they are",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \u{e4}\u{ff}\r\n\r\n",
        "GET / HTTP/1.1 | host: a | x: \u{e4}\u{ff}",
    ),
    (
        "a method of its own, in its own case",
        "pUrGe / HTTP/1.1\r\nHost: a\r\n\r\n",
        "pUrGe / HTTP/1.1 | host: a",
    ),
    ("HTTP/1.0 becomes 1.1", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 | host: a"),
    (
        "HTTP/1.0 without a host is given that of the listener",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1 | host: LISTENER",
    ),
    (
        "no length is made up for a request without a body",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1 | host: a",
    ),
    (
        "a length of nothing stays",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1 | content-length: 0 | host: a",
    ),
    (
        "a length stays as it is written",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc",
        "POST / HTTP/1.1 | content-length: 003 | host: a",
    ),
    (
        "a coding in another case is written in lower case",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1 | host: a | transfer-encoding: chunked",
    ),
    (
        "cookies on two lines stay on two",
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n",
        "GET / HTTP/1.1 | cookie: a=1 | cookie: b=2 | host: a",
    ),
    (
        "what concerns the hop goes",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\n\r\n",
        "GET / HTTP/1.1 | host: a",
    ),
    (
        "no upstream is asked for an upgrade to HTTP/2",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "GET / HTTP/1.1 | host: a",
    ),
    (
        "the announcement of trailers stays",
        "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
        "POST / HTTP/1.1 | host: a | trailer: X-Sum | transfer-encoding: chunked",
    ),
    (
        "no field is made up: agents, dates, encodings",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 | host: a",
    ),
    (
        "what is between two proxies and caches stays",
        "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\nMax-Forwards: 5\r\nRange: bytes=0-1\r\nAccept-Encoding: br\r\n\r\n",
        "GET / HTTP/1.1 | accept-encoding: br | host: a | max-forwards: 5 | range: bytes=0-1 | via: 1.1 b",
    ),
    (
        "the host of an absolute target",
        "GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x?y HTTP/1.1 | host: a",
    ),
    ("empty lines before a request", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 | host: a"),
];

#[test]
fn each_request_reaches_its_endpoint_as_it_did_before() {
    check(ROWS, forwarded);
}
