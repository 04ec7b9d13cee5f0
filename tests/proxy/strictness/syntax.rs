//! Request lines, targets, hosts and fields (RFC 9112 §2 to §5, RFC 9110 §4 to §7).

use system_tests::{Client, End, PATIENCE, Sluice, Upstream};

use super::{Bench, Failures, SMUGGLED};

/// Heads without a body that are refused.
const HEADS: &[(u32, &[u16], &[u8])] = &[
    (51, &[400], b"GET /x HTTP/1.1\nHost: a\r\n\r\n"),
    (51, &[400], b"GET /x HTTP/1.1\r\nHost: a\n\r\n"),
    (51, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\n\n"),
    (52, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    (53, &[400], b"GET /x HTTP/1.1\rHost: a\r\r\nX: y\r\n\r\n"),
    (54, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    (54, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\x07b\r\n\r\n"),
    (54, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n"),
    (55, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX\x01: y\r\n\r\n"),
    (55, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n"),
    (55, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n"),
    (55, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"),
    (56, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    (56, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"),
    (57, &[400], b"GET /x HTTP/1.1\r\n Host: a\r\n\r\n"),
    (57, &[400], b"GET /x HTTP/1.1\r\n \r\nHost: a\r\n\r\n"),
    (58, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    (59, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n"),
    (60, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nF@o: y\r\n\r\n"),
    (60, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nF\xc3\xb6: y\r\n\r\n"),
    (60, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\n\"X\": y\r\n\r\n"),
    (64, &[400], b"GET /x\r\n"),
    (64, &[400], b"GET /x\r\nHost: a\r\n\r\n"),
    (65, &[505], b"GET /x HTTP/1.2\r\nHost: a\r\n\r\n"),
    (65, &[505], b"GET /x HTTP/0.9\r\nHost: a\r\n\r\n"),
    (66, &[505], b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n"),
    (66, &[505], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/01.1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/1.10\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x http/1.1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/ 1.1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/1,1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTPS/1.1\r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x HTTP/1.1 \r\nHost: a\r\n\r\n"),
    (67, &[400], b"GET /x \r\nHost: a\r\n\r\n"),
    (68, &[400], b"GET  /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (68, &[400], b"GET /x  HTTP/1.1\r\nHost: a\r\n\r\n"),
    (68, &[400], b"GET\t/x\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    (68, &[400], b" GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (69, &[400], b"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (69, &[400], b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    (69, &[400], b"GET\r\nHost: a\r\n\r\n"),
    (70, &[400], b"\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (70, &[400], b"\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (71, &[400], b"GE@T /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (71, &[400], b"G\xcbT /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (71, &[400], b"GET: /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (71, &[400], b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (72, &[405], b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    (74, &[400], b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    (74, &[400], b"GET admin HTTP/1.1\r\nHost: a\r\n\r\n"),
    (74, &[400], b"OPTIONS *?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (74, &[400], b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (74, &[400], b"GET ?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (75, &[400], b"GET /x HTTP/1.1\r\n\r\n"),
    (75, &[400], b"GET http://a/x HTTP/1.1\r\n\r\n"),
    (76, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (77, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (77, &[400], b"GET /x HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
    (77, &[400], b"GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    (77, &[400], b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (78, &[400], b"GET /x HTTP/1.1\r\nHost:\r\n\r\n"),
    (78, &[400], b"GET /x HTTP/1.1\r\nHost: \t\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a?b\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a#b\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: http://a\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a\x01\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a\0\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a:123456\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: a:x\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: :80\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    (79, &[400], b"GET /x HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"),
    (81, &[400], b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (81, &[400], b"GET http://a:81/x HTTP/1.1\r\nHost: b:81\r\n\r\n"),
    (81, &[400], b"GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (82, &[400], b"GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (82, &[400], b"GET http://u:p@a/x HTTP/1.1\r\nHost: u:p@a\r\n\r\n"),
    (83, &[400], b"GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (83, &[400], b"GET /x?y#z HTTP/1.1\r\nHost: a\r\n\r\n"),
    (83, &[400], b"GET http://a/x#y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (84, &[400], b"GET /x\0y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (84, &[400], b"GET /x\x07y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (84, &[400], b"GET /x?\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
    (85, &[400], b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    (85, &[400], b"GET /x%1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (85, &[400], b"GET /x% HTTP/1.1\r\nHost: a\r\n\r\n"),
    (86, &[400], b"GET /x%00y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (88, &[400], b"GET /../x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (88, &[400], b"GET /x/%2e%2e/.. HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x//../y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x%2fy/../z HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x/..;y/z HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x/..%2fy HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x/%2e%2e%2Fy HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x/..%5cy HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x/..\\y HTTP/1.1\r\nHost: a\r\n\r\n"),
    (89, &[400], b"GET /x%2f..%2fy HTTP/1.1\r\nHost: a\r\n\r\n"),
    (91, &[400], b"GET /\"..\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
    (91, &[400], b"GET http://a\"/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (91, &[400], b"GET http://a\xe4/x HTTP/1.1\r\nHost: a\xe4\r\n\r\n"),
    (91, &[400], b"GET \xe4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (107, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=\0\r\n\r\n"),
    (107, &[400], b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=\x01\r\n\r\n"),
];

#[test]
fn what_breaks_the_grammar_is_refused_and_the_upstream_does_not_hear_of_it() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    for (row, statuses, head) in HEADS {
        let request = [head, SMUGGLED].concat();
        failures.note(*row, head, bench.refuses(&request, statuses));
    }
    failures.none();
}

#[test]
fn what_is_too_long_is_refused_and_the_upstream_does_not_hear_of_it() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    let long = "x".repeat(100 << 10);
    let head = "GET /x HTTP/1.1\r\nHost: a\r\n";
    for (row, statuses, request) in [
        (62, 431, format!("{head}{}\r\n", "X: y\r\n".repeat(256))),
        (62, 431, format!("{head}{}\r\n", "X: y\r\n".repeat(10_000))),
        (63, 431, format!("{head}X: {long}\r\n\r\n")),
        (63, 431, format!("{head}{long}: y\r\n\r\n")),
        (71, 400, format!("{long} /x HTTP/1.1\r\nHost: a\r\n\r\n")),
        (92, 414, format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        (92, 414, format!("GET /?{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        (107, 431, format!("{head}Cookie: {long}\r\n\r\n")),
    ] {
        let request = [request.as_bytes(), SMUGGLED].concat();
        failures.note(row, &request, bench.refuses(&request, &[statuses]));
    }
    failures.none();
}

/// What looks odd and has one meaning only.
const PASSING: &[(u32, &[u8], &str)] = &[
    (61, b"GET /x HTTP/1.1\r\nHost: a\r\nX: \xe4\xff\x80\r\n\r\n", "GET /x HTTP/1.1|"),
    (70, b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x HTTP/1.1|"),
    (74, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1|"),
    (80, b"GET /x HTTP/1.1\r\nHost: EX.com.:443\r\n\r\n", "GET /x HTTP/1.1|"),
    (81, b"GET http://A:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET /x HTTP/1.1|"),
    (87, b"GET /x%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x%0d%0aX:%20y HTTP/1.1|"),
    (88, b"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a/../b HTTP/1.1|"),
    (88, b"GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a/%2e%2e/b HTTP/1.1|"),
    (89, b"GET /a%2fb%5cc HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a%2fb%5cc HTTP/1.1|"),
    (90, b"GET //admin HTTP/1.1\r\nHost: a\r\n\r\n", "GET //admin HTTP/1.1|"),
    (91, b"GET /%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%c0%af HTTP/1.1|"),
    (91, b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%C3%A4 HTTP/1.1|"),
    (91, b"GET /\xc0\xaf?\xff HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%C0%AF?%FF HTTP/1.1|"),
    (91, b"GET /a\"<>^`{}|\\b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a%22%3C%3E%5E%60%7B%7D|\\b HTTP/1.1|"),
    (91, b"GET /?a\"<>^`{}|\\b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?a%22%3C%3E^`{}|\\b HTTP/1.1|"),
    (91, b"GET /{x}/../\"y\" HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%7Bx%7D/../%22y%22 HTTP/1.1|"),
    (91, b"GET http://a/{x}?\"y\" HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%7Bx%7D?%22y%22 HTTP/1.1|"),
    (91, b"GET /{x} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "GET /%7Bx%7D HTTP/1.1|"),
    (91, b"POST /{x} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\"{}\"", "POST /%7Bx%7D HTTP/1.1|\"{}\""),
    // Tunnels are a later matter: until then no upstream is told of an upgrade.
    (95, b"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
        "GET /x HTTP/1.1|"),
    (98, b"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "GET /x HTTP/1.1|"),
    (98, b"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: other/1\r\n\r\n", "GET /x HTTP/1.1|"),
    (98, b"POST /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\na",
        "POST /x HTTP/1.1|a"),
    (105, b"GET /x HTTP/1.1\r\nHost: a\r\nRange: bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-\r\n\r\n", "GET /x HTTP/1.1|"),
];

/// Rows of these tables, and of the tests that need more than bytes.
pub(super) fn rows() -> impl Iterator<Item = u32> {
    let heads = HEADS.iter().map(|(row, ..)| *row);
    heads.chain(PASSING.iter().map(|(row, ..)| *row)).chain([62, 63, 71, 73, 92, 101, 103, 107])
}

#[test]
fn odd_requests_with_one_meaning_pass() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    for (row, request, seen) in PASSING {
        failures.note(*row, request, bench.passes(request, seen));
    }
    let longest = format!("GET /{} HTTP/1.1", "x".repeat(8_000));
    let request = format!("{longest}\r\nHost: a\r\n\r\n");
    failures.note(92, request.as_bytes(), bench.passes(request.as_bytes(), &format!("{longest}|")));
    let fields = format!("GET /x HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(255));
    failures.note(62, fields.as_bytes(), bench.passes(fields.as_bytes(), "GET /x HTTP/1.1|"));
    failures.none();
}

#[test]
fn what_is_escaped_in_a_target_may_come_in_any_pieces_and_take_more_room_than_there_was() {
    let (bench, mut failures) = (Bench::new(), Failures::default());
    let odd = "{\u{e4}}".repeat(1_000);
    let escaped = "%7B%C3%A4%7D".repeat(1_000);
    // As long as a read takes, with a body and a next request behind it.
    let request =
        format!("POST /{odd} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n{}", "{".repeat(9_000));
    let seen = format!("POST /{escaped} HTTP/1.1|{}", "{".repeat(9_000));
    failures.note(91, request.as_bytes(), bench.passes(request.as_bytes(), &seen));
    let mut client = Client::connect(bench.sluice.address);
    let get = "GET /\u{e4}?\u{e4}\" HTTP/1.1\r\nHost: a\r\n\r\n";
    for byte in get.bytes() {
        client.send([byte]);
    }
    assert_eq!(client.response().text(), "GET /%C3%A4?%C3%A4%22 HTTP/1.1|", "row 91");
    client.send(get.repeat(100));
    for _ in 0..100 {
        assert_eq!(client.response().text(), "GET /%C3%A4?%C3%A4%22 HTTP/1.1|", "row 91");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "{".repeat(8_000));
    failures.note(92, long.as_bytes(), bench.refuses(&[long.as_bytes(), SMUGGLED].concat(), &[414]));
    failures.none();
}

#[test]
fn trace_is_never_forwarded() {
    let bench = Bench::new();
    let before = bench.upstream.received();
    let mut client = Client::connect(bench.sluice.address);
    let answer = client.send("TRACE /x HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n").response();
    assert_eq!(answer.status(), 405, "row 73");
    assert!(answer.field("allow").is_some_and(|methods| !methods.contains("TRACE")), "{answer:?}");
    assert!(!answer.text().contains("secret"));
    assert_eq!(bench.upstream.received(), before);
}

#[test]
fn a_bad_request_behind_a_good_one_is_refused_after_the_good_ones_answer() {
    let bench = Bench::new();
    let before = bench.upstream.requests();
    for bad in [
        "GET /2 HTTP/1.1\r\nHost: a\r\nX: a\n\r\n",
        "GET /2 HTTP/1.1\r\n\r\n",
        "GET /2 HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    ] {
        let mut client = Client::connect(bench.sluice.address);
        let good = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
        client.send(format!("{good}{bad}{good}"));
        assert_eq!(client.response().text(), "GET /1 HTTP/1.1|", "row 101: {bad:?}");
        let refused = client.response();
        assert!(refused.status() == 400 && refused.closes(), "row 101: {bad:?}: {refused:?}");
        assert_eq!(client.rest(), (vec![], End::Clean), "row 101: {bad:?}");
    }
    assert_eq!(bench.upstream.requests() - before, 3);
}

#[test]
fn names_that_differ_from_ours_by_a_dot_are_dropped() {
    let (upstream, seen) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let sluice = Sluice::start(&[upstream.address]);
    let claims = "X.Forwarded.For: 6.6.6.6\r\nX-Forwarded.Proto: https\r\nX.Real.IP: 6.6.6.6\r\n";
    Client::connect(sluice.address).send(format!("GET / HTTP/1.1\r\nHost: a\r\n{claims}\r\n")).response();
    let seen = seen.recv_timeout(PATIENCE).expect("a request");
    let aliases: Vec<_> = seen.fields.iter().filter(|(name, _)| name.contains('.')).collect();
    assert!(aliases.is_empty(), "row 103: some upstreams take a dot for a hyphen: {aliases:?}");
}
