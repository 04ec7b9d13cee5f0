use super::*;

fn guard() -> Guard {
    Guard::new(Limits { line_bytes_max: 16 << 10, head_bytes_max: 64 << 10, fields_max: 100 })
}

/// Follows `input` whole and, with a second guard, byte by byte: both must come to the same end.
fn follow(input: &[u8]) -> (usize, Option<Refusal>) {
    let (mut whole, mut split) = (guard(), guard());
    let followed = whole.follow(input);
    let mut heads = 0;
    for byte in input {
        heads += split.follow(&[*byte]).heads;
    }
    assert_eq!(whole.refused(), split.refused(), "{:?}", String::from_utf8_lossy(input));
    assert_eq!(followed.heads, heads, "{:?}", String::from_utf8_lossy(input));
    (followed.passed, whole.refused())
}

fn head(lines: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").into_bytes()
}

#[test]
fn well_formed_requests_pass_whole_and_end_at_a_boundary() {
    for input in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length:\t0 \r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: \tCHUNKED \r\n\r\n5;a=b;c\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b; c\\\"\";d=e/f==\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        let mut guard = guard();
        assert_eq!(guard.follow(input.as_bytes()).passed, input.len(), "{input:?}");
        assert!(guard.at_boundary(), "{input:?}");
        assert_eq!(follow(input.as_bytes()).1, None, "{input:?}");
    }
}

#[test]
fn ambiguous_framing_is_refused_before_the_head_ends() {
    for (lines, why) in [
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Refusal::BadFraming),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", Refusal::BadFraming),
        ("Content-Length: 3\r\nContent-Length: 4\r\n", Refusal::BadFraming),
        ("Content-Length: 3, 3\r\n", Refusal::BadFraming),
        ("Content-Length: +3\r\n", Refusal::BadFraming),
        ("Content-Length: -0\r\n", Refusal::BadFraming),
        ("Content-Length: 0x3\r\n", Refusal::BadFraming),
        ("Content-Length: 3 3\r\n", Refusal::BadFraming),
        ("Content-Length:\r\n", Refusal::BadFraming),
        ("Content-Length: 99999999999999999999\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: chunked, chunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: chunked, gzip\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: ,chunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: \x0bchunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: gzip,\x0cchunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: gzip\x0b, chunked\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: chunked;a=b\r\n", Refusal::BadFraming),
        ("Transfer-Encoding:\r\n", Refusal::BadFraming),
        ("Transfer-Encoding: gzip, chunked\r\n", Refusal::TransferCoding),
        ("Transfer-Encoding: identity\r\n", Refusal::TransferCoding),
        ("Transfer-Encoding: xchunked\r\n", Refusal::TransferCoding),
        ("Transfer-Encoding:\r\n chunked\r\n", Refusal::BadFraming),
        ("X: a\r\n b\r\n", Refusal::BadRequest),
        ("X: a\n", Refusal::BadRequest),
    ] {
        let (passed, refused) = follow(&head(lines));
        assert_eq!(refused, Some(why), "{lines:?}");
        assert!(passed < head(lines).len(), "{lines:?}");
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(follow(old).1, Some(Refusal::BadFraming));
}

#[test]
fn a_malformed_request_line_is_refused() {
    for (line, why) in [
        ("GET /\r\n", Refusal::NotHttp),
        ("GET  / HTTP/1.1\r\n", Refusal::BadRequest),
        ("GET / HTTP/1.1 \r\n", Refusal::NotHttp),
        ("GET /a b HTTP/1.1\r\n", Refusal::NotHttp),
        ("GET / HTTP/1.1\n", Refusal::BadRequest),
        ("GET / http/1.1\r\n", Refusal::NotHttp),
        ("GET / HTTP/01.1\r\n", Refusal::NotHttp),
        ("GET / HTTP/1.2\r\n", Refusal::Version),
        ("PRI * HTTP/2.0\r\n", Refusal::Version),
        ("GET /a#b HTTP/1.1\r\n", Refusal::BadTarget),
        ("\r\n\r\n\r\n", Refusal::BadRequest),
    ] {
        assert_eq!(follow(line.as_bytes()).1, Some(why), "{line:?}");
    }
    for length in [33, 100_000] {
        let method = "M".repeat(length);
        assert_eq!(follow(method.as_bytes()).1, Some(Refusal::BadRequest));
        assert_eq!(follow(format!("{method} / HTTP/1.1\r\n").as_bytes()).1, Some(Refusal::BadRequest));
    }
    assert_eq!(follow(&[0x16; 100]).1, Some(Refusal::NotHttp), "no method at all");
}

#[test]
fn sloppy_chunks_are_refused_in_the_body() {
    for chunk in [
        "0x5\r\n",
        "+5\r\n",
        "-5\r\n",
        " 5\r\n",
        "5 \r\n",
        "5\n",
        "5;\r\n",
        "5;\x01\r\n",
        "5; a\r\n",
        "5;a(\r\n",
        "5;a b\r\n",
        "5;a@=b\r\n",
        "5;a=\r\n",
        "5;a=b c\r\n",
        "5;a=\"b\r\n",
        "5;a=\"b\\\"\r\n",
        "5;a=\"b\"c\r\n",
        "5;a=\"\x07\"\r\n",
        ";a\r\n",
        "\r\n",
        "1000000000000000\r\n",
        "2\r\nabc",
        "2\r\nab\n",
        "2\r\nab\rX",
        "0\r\n\n",
        "0\r\nX: y\n",
    ] {
        let mut input = head("Transfer-Encoding: chunked\r\n");
        let before = input.len();
        input.extend_from_slice(chunk.as_bytes());
        let mut guard = guard();
        guard.follow(&input);
        assert!(guard.refused_in_body(), "{chunk:?}");
        assert_eq!(follow(&input).1, Some(Refusal::BadFraming), "{chunk:?}");
        assert!(before > 0);
    }
}

#[test]
fn limits_hold_for_whole_and_for_unfinished_input() {
    let line = [b"GET /".as_slice(), &[b'a'; 20_000]].concat();
    assert_eq!(follow(&line).1, Some(Refusal::LineTooLong));
    let field = [head("")[..].strip_suffix(b"\r\n").expect("a head"), b"X: ", &[b'a'; 70_000]].concat();
    assert_eq!(follow(&field).1, Some(Refusal::HeadTooLarge));
    assert_eq!(follow(&head(&"X: y\r\n".repeat(100))).1, Some(Refusal::HeadTooLarge));
    assert_eq!(follow(&head(&"X: y\r\n".repeat(99))).1, None);
    let mut extension = head("Transfer-Encoding: chunked\r\n");
    extension.extend_from_slice(&[b"5;".as_slice(), &[b'a'; 5_000]].concat());
    assert_eq!(follow(&extension).1, Some(Refusal::BadFraming));
    let mut last = head("Transfer-Encoding: chunked\r\n");
    last.extend_from_slice(&[b"0;".as_slice(), &[b'a'; 5_000], b"\r\n\r\n"].concat());
    assert_eq!(follow(&last).1, Some(Refusal::BadFraming));
    let mut trailers = head("Transfer-Encoding: chunked\r\n");
    trailers.extend_from_slice(&[b"0\r\nX: ".as_slice(), &[b'a'; 17_000]].concat());
    assert_eq!(follow(&trailers).1, Some(Refusal::BadFraming));
}

#[test]
fn the_longest_chunk_line_passes_however_it_is_cut_into_reads() {
    let line = |extension: usize| {
        let line = format!("000000000000005;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(extension - 1));
        [head("Transfer-Encoding: chunked\r\n"), line.into_bytes()].concat()
    };
    assert_eq!(follow(&line(CHUNK_EXTENSION_BYTES_MAX)).1, None);
    assert_eq!(follow(&line(CHUNK_EXTENSION_BYTES_MAX + 1)).1, Some(Refusal::BadFraming));
}

#[test]
fn what_is_valid_passes_up_to_the_first_bad_line() {
    let good = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let input = [good.as_slice(), b"GET / HTTP/1.1\r\nX: a\n\r\n"].concat();
    let mut guard = guard();
    let followed = guard.follow(&input);
    assert_eq!((followed.passed, followed.heads), (good.len() + 16, 1));
    assert_eq!(guard.follow(good), Followed { passed: 0, heads: 0 });
    assert!(!guard.refused_in_body());
}

#[test]
fn chunks_that_cost_more_than_they_carry_are_refused_and_small_ones_are_not() {
    let body = |chunk: &str, times: usize| {
        let head = head("Transfer-Encoding: chunked\r\n");
        [&head[..], chunk.repeat(times).as_bytes(), b"0\r\n\r\n"].concat()
    };
    assert_eq!(follow(&body("2\r\nab\r\n", 100_000)).1, None);
    assert_eq!(follow(&body("1\r\na\r\n", 30_000)).1, None);
    assert_eq!(follow(&body("1\r\na\r\n", 40_000)).1, Some(Refusal::BadFraming));
    assert_eq!(follow(&body("000000000000001\r\na\r\n", 5_000)).1, Some(Refusal::BadFraming));
    let paid_back = "1\r\na\r\n".repeat(30_000) + "8000\r\n" + &"a".repeat(32_768) + "\r\n";
    assert_eq!(follow(&body(&paid_back, 3)).1, None);
}

#[test]
fn what_must_be_escaped_in_a_target_is_found_however_it_is_cut_into_reads() {
    let line = b"GET /a{b}?c={d}\"<\xe4 HTTP/1.1\r\nX: \"<\xe4{\r\n\r\nGET /\" HTTP/1.1\r\n";
    let odd: Vec<usize> = [6, 8].into_iter().chain(15..18).collect();
    let mut whole = guard();
    assert_eq!(whole.follow(line).passed, line.len());
    let next = line.len() - "\" HTTP/1.1\r\n".len();
    assert_eq!(whole.odd(), [&odd[..], &[next]].concat());
    assert_eq!(whole.follow(b"Host: \"").passed, 7);
    assert!(whole.odd().is_empty());
    let mut split = guard();
    let mut found = Vec::new();
    for (at, byte) in line.iter().enumerate() {
        split.follow(&[*byte]);
        found.extend(split.odd().iter().map(|_| at));
    }
    assert_eq!(found, [&odd[..], &[next]].concat());
}

#[test]
fn a_line_is_as_long_as_it_is_with_its_escapes() {
    let line = |odd: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "\"".repeat(odd)).into_bytes();
    assert_eq!(follow(&line(5_400)).1, None);
    assert_eq!(follow(&line(5_500)).1, Some(Refusal::LineTooLong));
}

#[test]
fn what_comes_behind_a_wish_for_another_protocol_is_held_until_that_is_decided() {
    let wish = b"GET / HTTP/1.1\r\nupgrade: websocket\r\n\r\n";
    let next = b"GET / HTTP/1.1\r\n\r\n";
    let mut guard = guard();
    assert_eq!(guard.follow(&[&wish[..], next].concat()), Followed { passed: wish.len(), heads: 1 });
    assert!(guard.holds() && !guard.at_boundary() && !guard.in_body());
    assert_eq!(guard.follow(next), Followed { passed: 0, heads: 0 });
    guard.held().extend_from_slice(next);
    guard.release();
    assert!(!guard.at_boundary(), "what is held stands before any next request");
    let held = std::mem::take(guard.held());
    assert_eq!(guard.follow(&held), Followed { passed: next.len(), heads: 1 });
    assert!(guard.at_boundary());
}

#[test]
fn nothing_is_held_behind_a_request_that_cannot_ask_for_another_protocol() {
    for head in [
        "GET / HTTP/1.0\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade-Insecure-Requests: 1\r\n\r\n",
    ] {
        let mut guard = guard();
        guard.follow(head.as_bytes());
        assert!(guard.at_boundary(), "{head:?}");
    }
}

#[test]
fn trailers_have_no_more_fields_than_a_head() {
    let trailers = |fields: usize| {
        let head = head("Transfer-Encoding: chunked\r\n");
        [&head[..], b"0\r\n", "X: y\r\n".repeat(fields).as_bytes(), b"\r\n"].concat()
    };
    assert_eq!(follow(&trailers(100)).1, None);
    assert_eq!(follow(&trailers(101)).1, Some(Refusal::BadFraming));
}

#[test]
fn a_client_says_by_its_version_and_in_its_field_whether_it_sends_more() {
    for (version, fields, is_over) in [
        ("1.1", "", false),
        ("1.1", "Connection: keep-alive\r\n", false),
        ("1.1", "CONNECTION:x ,Close\r\n", true),
        ("1.1", "Connection: x\r\nConnection: close\r\n", true),
        ("1.1", "Connection: closed\r\n", false),
        ("1.1", "Connection: close\r\nContent-Length: 1\r\n", false),
        ("1.0", "", true),
        ("1.0", "Connection: Keep-Alive\r\n", false),
        ("1.0", "Connection: keep-alive, close\r\n", true),
    ] {
        let mut guard = guard();
        guard.follow(format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n").as_bytes());
        assert_eq!(guard.is_over(), is_over, "{version} {fields}");
        if guard.in_body() {
            guard.follow(b"x");
            assert!(guard.is_over(), "all of the body has come");
        }
        guard.follow(b"G");
        assert!(!guard.is_over(), "{version} {fields}: it has sent more all the same");
    }
}
