//! What a client of HTTP/1 is sent of the answer of an endpoint of HTTP/1.

use super::{Row, check, relayed};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";

const TO_GET: &[Row] = &[
    (
        "names in lower case, and a date is added",
        "HTTP/1.1 200 OK\r\nX-CamelCase: Value\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK | content-length: 2 | date: now | x-camelcase: Value || hi",
    ),
    (
        "a date stays",
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: Sun, 06 Nov 1994 08:49:37 GMT || ",
    ),
    (
        "and stays twice",
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: x 1994\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: Sun, 06 Nov 1994 08:49:37 GMT | date: x 1994 || ",
    ),
    (
        "a server stays, and none is added",
        "HTTP/1.1 200 OK\r\nServer: b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now | server: b || ",
    ),
    (
        "cookies stay apart and in order",
        "HTTP/1.1 200 OK\r\nSet-Cookie: b=1\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now | set-cookie: b=1 | set-cookie: a=1; Path=/ || ",
    ),
    (
        "a reason of its own",
        "HTTP/1.1 200 Fine, thanks\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 Fine, thanks | content-length: 0 | date: now || ",
    ),
    (
        "no reason",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200  | content-length: 0 | date: now || ",
    ),
    (
        "an empty reason",
        "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404  | content-length: 0 | date: now || ",
    ),
    (
        "an unknown status",
        "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 299  | content-length: 0 | date: now || ",
    ),
    (
        "and beyond all classes",
        "HTTP/1.1 799 What\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 799 What | content-length: 0 | date: now || ",
    ),
    (
        "bytes beyond ASCII",
        "HTTP/1.1 200 OK\r\nX: \u{e4}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now | x: ä || ",
    ),
    (
        "white space around values",
        "HTTP/1.1 200 OK\r\nX:  \t a \t b \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now | x: a \t b || ",
    ),
    (
        "what concerns the hop goes",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now || ",
    ),
    (
        "the endpoint's end is not the client's",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 0 | date: now || ",
    ),
    (
        "without a length it comes in chunks",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK | date: now | transfer-encoding: chunked || 5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "and without a body, too",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK | date: now | transfer-encoding: chunked || 0\r\n\r\n",
    ),
    (
        "extensions of chunks go",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0;c\r\n\r\n",
        "HTTP/1.1 200 OK | date: now | transfer-encoding: chunked || 2\r\nhi\r\n0\r\n\r\n",
    ),
    (
        "an answer of HTTP/1.0",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK | content-length: 2 | date: now || hi",
    ),
    (
        "a length as it is written",
        "HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nhi",
        "HTTP/1.1 200 OK | content-length: 002 | date: now || hi",
    ),
    (
        "what stands behind the length goes",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP",
        "HTTP/1.1 200 OK | content-length: 2 | date: now || hi",
    ),
    (
        "204",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 No Content | date: now || ",
    ),
    (
        "205",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 205 Reset Content | content-length: 0 | date: now || ",
    ),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n",
        "HTTP/1.1 304 Not Modified | content-length: 5 | date: now | etag: \"a\" || ",
    ),
    (
        "trailers that were not asked for go",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 200 OK | date: now | trailer: X-Sum | transfer-encoding: chunked || 2\r\nhi\r\n0\r\n\r\n",
    ),
];

const TO_OLD: &[Row] = &[
    (
        "an old client is answered in its own version",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.0 200 OK | content-length: 2 | date: now || hi",
    ),
    (
        "and without chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n",
        "HTTP/1.0 200 OK | date: now || hi",
    ),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 304 Not Modified | content-length: 5 | date: now || ",
    ),
];

const TO_HEAD: &[Row] = &[
    (
        "a length",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK | content-length: 5 | date: now || ",
    ),
    ("no length is made up", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK | date: now || "),
    (
        "a coding goes",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK | date: now || ",
    ),
    (
        "204",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 No Content | date: now || ",
    ),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified | content-length: 5 | date: now || ",
    ),
];

#[test]
fn each_answer_reaches_its_client_as_it_did_before() {
    check(TO_GET, |answer| relayed(GET, answer));
}

#[test]
fn each_answer_reaches_a_client_of_http_10_as_it_did_before() {
    check(TO_OLD, |answer| relayed(OLD, answer));
}

#[test]
fn each_answer_to_head_reaches_its_client_as_it_did_before() {
    check(TO_HEAD, |answer| relayed(HEAD, answer));
}
