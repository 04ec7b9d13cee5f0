//! Where a body ends (RFC 9112 §6 and §7).

use system_tests::{Client, Upstream, eventually};

use super::{Bench, Failures, SMUGGLED};

const HEAD: &[u8] = b"POST /x HTTP/1.1\r\nHost: host.test\r\n";

/// Fields that make the end of a body unclear. Each stands alone in the head of a POST.
const FIELDS: &[(u32, &[u16], &[u8])] = &[
    (1, &[400], b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    (1, &[400], b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
    (2, &[400], b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    // Equal lengths could be merged; a client that sends two is broken, and refusing costs no other.
    (3, &[400], b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    (4, &[400], b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    (4, &[400], b"content-length: 6\r\nX: y\r\nCONTENT-LENGTH: 5\r\n"),
    (5, &[400], b"Content-Length: 5, 5\r\n"),
    (6, &[400], b"Content-Length: 5, 6\r\n"),
    (6, &[400], b"Content-Length: 5,\r\n"),
    (6, &[400], b"Content-Length: ,5\r\n"),
    (7, &[400], b"Content-Length: +5\r\n"),
    (8, &[400], b"Content-Length: -1\r\n"),
    (8, &[400], b"Content-Length: -0\r\n"),
    (9, &[400], b"Content-Length: 0x5\r\n"),
    (9, &[400], b"Content-Length: 5e0\r\n"),
    (9, &[400], b"Content-Length: 5.0\r\n"),
    (9, &[400], b"Content-Length: 1_0\r\n"),
    (10, &[400], b"Content-Length: 5 5\r\n"),
    (10, &[400], b"Content-Length: 5\t5\r\n"),
    (11, &[400], b"Content-Length:\r\n"),
    (11, &[400], b"Content-Length: \t \r\n"),
    (12, &[400], b"Content-Length:\r\nContent-Length: 5\r\n"),
    (12, &[400], b"Content-Length: 5\r\nContent-Length:\r\n"),
    (14, &[400], b"Content-Length: 18446744073709551616\r\n"),
    (14, &[400], b"Content-Length: 18446744073709551621\r\n"),
    (14, &[400], b"Content-Length: 99999999999999999999999999999999\r\n"),
    (14, &[400], b"Content-Length: 9223372036854775808\r\n"),
    (15, &[400], b"Content-Length\x85: 5\r\n"),
    (15, &[400], b"Content-Length : 5\r\n"),
    (15, &[400], b"Content-Length\t: 5\r\n"),
    (15, &[400], b"Content-Length: \xb25\r\n"),
    (15, &[400], b"Content-Length: \x0b5\r\n"),
    (20, &[501], b"Transfer-Encoding: identity\r\n"),
    (21, &[501], b"Transfer-Encoding: gzip\r\n"),
    (22, &[501], b"Transfer-Encoding: gzip, chunked\r\n"),
    (23, &[400], b"Transfer-Encoding: chunked, gzip\r\n"),
    (24, &[400], b"Transfer-Encoding: chunked, chunked\r\n"),
    (25, &[400], b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    // The first coding alone decides: unknown.
    (25, &[400, 501], b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
    (25, &[400], b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    (26, &[501], b"Transfer-Encoding: xchunked\r\n"),
    (26, &[501], b"Transfer-Encoding: chunkedx\r\n"),
    (26, &[501], b"Transfer-Encoding: blegh\r\n"),
    (27, &[400], b"Transfer-Encoding : chunked\r\n"),
    (27, &[400], b"Transfer-Encoding\t: chunked\r\n"),
    (28, &[400], b"Transfer-Encoding:\x0bchunked\r\n"),
    // A form feed is neither white space nor part of a name: refused as unknown.
    (28, &[400, 501], b"Transfer-Encoding: \x0cchunked\r\n"),
    (28, &[400], b"Transfer-Encoding: chunked\x0b\r\n"),
    (28, &[400], b"Transfer-Encoding: \0chunked\r\n"),
    (28, &[400], b"Transfer-Encoding: gzip,\x0cchunked\r\n"),
    (28, &[400], b"Transfer-Encoding: gzip\x0b, chunked\r\n"),
    (30, &[400], b"Transfer-Encoding: ,chunked\r\n"),
    (30, &[400], b"Transfer-Encoding: chunked,\r\n"),
    (31, &[400], b"Transfer-Encoding: chunked;a=b\r\n"),
    (31, &[400], b"Transfer-Encoding: \"chunked\"\r\n"),
    (32, &[400], b"Transfer-Encoding:\r\n chunked\r\n"),
    (32, &[400], b"Transfer-Encoding: chunked\r\n , identity\r\n"),
    (34, &[400], b"Transfer-Encoding:\r\n"),
    (34, &[400], b"Transfer-Encoding: \xa0chunked\r\n"),
    (34, &[400], b"Transfer-Encoding: \x85chunked\r\n"),
    (34, &[400], b"Transfer-Encoding: chunk\xc5\xbfd\r\n"),
    (34, &[400], b"X: y\rTransfer-Encoding: chunked\r\n"),
    (34, &[400], b"X: y\nTransfer-Encoding: chunked\r\n"),
];

#[test]
fn fields_that_make_the_end_of_a_body_unclear_are_refused() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    for (row, statuses, fields) in FIELDS {
        // Whole and valid, whichever field a parser goes by.
        for body in ["hello", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n"] {
            let request = [HEAD, fields, b"\r\n", body.as_bytes(), SMUGGLED].concat();
            failures.note(*row, fields, bench.refuses(&request, statuses));
        }
    }
    let old =
        [b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", SMUGGLED].concat();
    failures.note(19, &old, bench.refuses(&old, &[400]));
    failures.none();
}

/// Bodies of a chunked POST that no two parsers need read alike.
const CHUNKS: &[(u32, &[u8])] = &[
    (35, b"0x5\r\nhello\r\n0\r\n\r\n"),
    (35, b"+5\r\nhello\r\n0\r\n\r\n"),
    (35, b"-5\r\nhello\r\n0\r\n\r\n"),
    (35, b"1_0\r\nhellohellohelloh\r\n0\r\n\r\n"),
    (35, b"0_5\r\nhello\r\n0\r\n\r\n"),
    (35, b"g\r\nhello\r\n0\r\n\r\n"),
    (36, b" 5\r\nhello\r\n0\r\n\r\n"),
    (36, b"5 \r\nhello\r\n0\r\n\r\n"),
    (36, b"5\t\r\nhello\r\n0\r\n\r\n"),
    (36, b"\xa05\r\nhello\r\n0\r\n\r\n"),
    (37, b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    (37, b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    (37, b"00000000000000005\r\nhello\r\n0\r\n\r\n"),
    (38, b"5\nhello\r\n0\r\n\r\n"),
    (38, b"5\r\nhello\n0\r\n\r\n"),
    (38, b"5\r\nhello\r\n0\n\r\n"),
    (38, b"\n5\r\nhello\r\n0\r\n\r\n"),
    (39, b"5\rhello\r\n0\r\n\r\n"),
    (39, b"5\r\nhello\r0\r\n\r\n"),
    (39, b"5\r\nhello\r\n0\r\n\rX"),
    (39, b"5\r\nhello\rX0\r\n\r\n"),
    (40, b"5\r\nhelloworld\r\n0\r\n\r\n"),
    (40, b"5\r\nhello0\r\n\r\n"),
    (40, b"4\r\nhello\r\n0\r\n\r\n"),
    (41, b"5;\nx\r\nhello\r\n0\r\n\r\n"),
    (41, b"5;a=b\nhello\r\n0\r\n\r\n"),
    (41, b"0;a\n\r\n"),
    (42, b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
    (42, b"5;a=\x01\r\nhello\r\n0\r\n\r\n"),
    (42, b"5;a=\rb\r\nhello\r\n0\r\n\r\n"),
    (42, b"5;a=\x80\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;=b\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a;;b\r\nhello\r\n0\r\n\r\n"),
    (43, b"5 a\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a(b\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a b\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a\"b\"\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a=\"b\r\nhello\r\n0\r\n\r\n"),
    (43, b"5;a=b;c@d=e\r\nhello\r\n0\r\n\r\n"),
    (43, b"5,5\r\nhello\r\n0\r\n\r\n"),
    (43, b"\r\nhello\r\n0\r\n\r\n"),
    (49, b"0\r\n\n"),
    (49, b"0\r\nX: y\n\r\n"),
    (49, b"0\r\nX: y\r\n z\r\n\r\n"),
    (49, b"0\r\nX : y\r\n\r\n"),
    (49, b"0\r\nX\r\n\r\n"),
    (49, b"0\r\nX: a\0b\r\n\r\n"),
];

#[test]
fn a_body_with_unclear_chunks_is_never_whole() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    let chunked = [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    for (row, chunks) in CHUNKS {
        let request = [&chunked, *chunks, SMUGGLED].concat();
        failures.note(*row, chunks, bench.breaks(&request));
        // Where no body is usual, it is none the less one.
        let get = [b"GET".as_slice(), &request[4..]].concat();
        failures.note(*row, &get, bench.breaks(&get));
        // The same behind a good chunk, when the request has long been under way.
        let request = [&chunked, b"3\r\nabc\r\n".as_slice(), chunks, SMUGGLED].concat();
        failures.note(*row, chunks, bench.breaks(&request));
    }
    for (row, before, byte, after, times) in [
        (44, "5;a=", "x", "\r\nhello\r\n0\r\n\r\n", 64 << 10),
        (44, "", "1;aaaaaaaaaaaaaaa\r\nx\r\n", "0\r\n\r\n", 1024),
        (45, "", "1\r\nx\r\n", "0\r\n\r\n", 40_000),
        (45, "", "000000000000001\r\nx\r\n", "0\r\n\r\n", 8_000),
        (49, "0\r\nX: ", "y", "\r\n\r\n", 17 << 10),
        (49, "0\r\n", "X: y\r\n", "\r\n", 3 << 10),
    ] {
        let request = [&chunked, before.as_bytes(), byte.repeat(times).as_bytes(), after.as_bytes()].concat();
        failures.note(row, &request, bench.breaks(&request));
    }
    failures.none();
}

/// What looks odd and has one meaning only.
const PASSING: &[(u32, &[u8], &str)] = &[
    (13, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello", "POST /x HTTP/1.1|hello"),
    (13, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", "POST /x HTTP/1.1|"),
    (16, b"GET /x HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", "GET /x HTTP/1.1|"),
    (16, b"GET /x HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", "GET /x HTTP/1.1|"),
    (17, b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /", "GET /x HTTP/1.1|GET /"),
    (
        17,
        b"GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
        "GET /x HTTP/1.1|GET /",
    ),
    (17, b"OPTIONS /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /", "OPTIONS /x HTTP/1.1|GET /"),
    (
        29,
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked \t\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1|",
    ),
    (29, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length:\t5 \t\r\n\r\nhello", "POST /x HTTP/1.1|hello"),
    (
        33,
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "POST /x HTTP/1.1|a",
    ),
    (
        43,
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b\";c\r\na\r\n0\r\n\r\n",
        "POST /x HTTP/1.1|a",
    ),
    (
        43,
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n",
        "POST /x HTTP/1.1|0123456789",
    ),
];

/// Rows of these tables, and of the tests that need more than bytes.
pub(super) fn rows() -> impl Iterator<Item = u32> {
    let fields = FIELDS.iter().map(|(row, ..)| *row);
    let chunks = CHUNKS.iter().map(|(row, _)| *row);
    // Behind each bad chunk stands another request: row 46.
    fields.chain(chunks).chain(PASSING.iter().map(|(row, ..)| *row)).chain([18, 19, 44, 45, 46, 47, 50])
}

#[test]
fn odd_framing_with_one_meaning_passes() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    for (row, request, seen) in PASSING {
        failures.note(*row, request, bench.passes(request, seen));
    }
    failures.none();
}

#[test]
fn a_body_that_its_client_does_not_finish_is_never_whole() {
    for request in [
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let upstream = Upstream::answering("never");
        let sluice = system_tests::Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send(request);
        eventually("the body is under way", || upstream.received() > 0);
        client.finish();
        eventually("the upstream sees the end", || upstream.ended() == 1);
        assert_eq!(upstream.requests(), 0, "rows 18 and 47: {request:?}");
        assert!(!String::from_utf8_lossy(&client.rest().0).contains("never"), "{request:?}");
    }
}

#[test]
fn junk_behind_a_body_is_the_next_request_and_never_part_of_the_last() {
    let bench = Bench::new();
    let before = bench.upstream.requests();
    let mut client = Client::connect(bench.sluice.address);
    client.send("POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX:POST /2 HTTP/1.1\r\n\r\n");
    assert_eq!(client.response().text(), "POST /1 HTTP/1.1|", "row 50");
    let second = client.response();
    assert!(second.status() == 400 && second.closes(), "row 50: {second:?}");
    assert_eq!(bench.upstream.requests() - before, 1);
}
