//! HTTP/2 from clients: what reaches an upstream of HTTP/1, what comes back, and how a connection ends.

mod end;
mod goodbye;
mod interim;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use proxy::{Config, Protocol};
use system_tests::{Client, End, Gate, Http2, Sluice, Upstream};

const HOST: &str = "host.test";

/// A data plane that speaks HTTP/2 without TLS.
fn sluice(upstream: &Upstream) -> Sluice {
    sluice_with(|_| {}, upstream)
}

fn sluice_with(change: impl FnOnce(&mut Config), upstream: &Upstream) -> Sluice {
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    Sluice::speaking(protocol, change, &[upstream.address])
}

/// An upstream that gives back the request as it came.
fn echo() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let fields: Vec<String> =
                request.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let text = format!("{}\n{}\n\n{}", request.start, fields.join("\n"), request.text());
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        }
    })
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}

#[test]
fn a_request_reaches_an_upstream_of_http1_as_one_of_its_own() {
    let upstream = echo();
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    let request = client.request("POST", "host.test:81", "/a/../b?c=d");
    let request = request.header("cookie", "a=1").header("cookie", "b=2").header("te", "trailers");
    let answer = client.send(request.body(Full::from("hello")).unwrap()).unwrap();
    let text = text(&answer.body);
    assert_eq!(answer.head.status(), 200);
    assert!(text.starts_with("POST /a/../b?c=d HTTP/1.1\n"), "{text}");
    for line in [
        "host: host.test:81",
        "cookie: a=1; b=2",
        "te: trailers",
        "content-length: 5",
        "x-forwarded-proto: http",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
    }
    assert!(text.ends_with("\n\nhello"), "{text}");
}

#[test]
fn many_requests_are_served_at_a_time_and_each_gets_its_own_answer() {
    let upstream = echo();
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    let ask = |client: &Http2, n: usize| -> Request<Full<Bytes>> {
        client.request("GET", HOST, &format!("/{n}")).body(Full::default()).unwrap()
    };
    // More than may be open at a time: the client keeps to what it is told.
    let requests = (0..500).map(|n| ask(&client, n)).collect();
    for (n, answer) in client.send_all(requests).into_iter().enumerate() {
        assert!(text(&answer.unwrap().body).starts_with(&format!("GET /{n} HTTP/1.1\n")), "{n}");
    }
}

#[test]
fn large_bodies_and_trailers_arrive_whole_both_ways() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n";
            let _ = peer.send(format!("{head}{:x}\r\n", request.body.len()));
            let _ = peer.send(&request.body);
            let _ = peer.send("\r\n0\r\nx-sum: 7\r\n\r\n");
        }
    });
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    let body = Bytes::from(vec![b'x'; 5 << 20]);
    for _ in 0..3 {
        let request = client.request("POST", HOST, "/").header("te", "trailers");
        let answer = client.send(request.body(Full::from(body.clone())).unwrap()).unwrap();
        assert!(answer.body == body);
        assert_eq!(answer.trailers.expect("trailers")["x-sum"], "7");
    }
}

#[test]
fn what_is_refused_is_refused_for_one_request_and_the_connection_goes_on() {
    let upstream = echo();
    let sluice = sluice_with(|config| config.downstream.body_bytes_max = 4, &upstream);
    let mut client = Http2::connect(sluice.address);
    let trace = client.request("TRACE", HOST, "/").body(Full::default()).unwrap();
    assert_eq!(client.send(trace).unwrap().head.status(), 405);
    let large = client.request("POST", HOST, "/").body(Full::from("hello")).unwrap();
    assert_eq!(client.send(large).unwrap().head.status(), 413);
    assert_eq!(client.get(HOST, &format!("/{}", "a".repeat(16 << 10))).unwrap().head.status(), 414);
    let other = client.request("GET", HOST, "/").header("host", "other.test").body(Full::default()).unwrap();
    assert_eq!(client.send(other).unwrap().head.status(), 400, "the host and the authority differ");
    let answer = client.get(HOST, "/").unwrap();
    assert_eq!(answer.head.status(), 200);
    assert!(!answer.head.headers().contains_key("connection"));
}

#[test]
fn a_head_request_that_is_refused_gets_the_head_of_the_answer_and_no_body() {
    let upstream = echo();
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    let refused = client.request("HEAD", HOST, "/..").body(Full::default()).unwrap();
    let answer = client.send(refused).expect("no reset");
    assert_eq!((answer.head.status().as_u16(), answer.body.len()), (400, 0));
    let same = client.get(HOST, "/..").unwrap();
    assert_eq!(answer.head.headers().get("content-length"), same.head.headers().get("content-length"));
    let (head, _) =
        Client::connect(sluice.address).send("HEAD /.. HTTP/1.1\r\nHost: host.test\r\n\r\n").rest();
    let head = String::from_utf8_lossy(&head);
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", same.body.len())), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_response_that_breaks_off_is_a_reset_of_its_stream_and_no_clean_end() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    assert!(client.get(HOST, "/").is_err());
    assert!(client.get(HOST, "/").is_err(), "on the same connection");
}

#[test]
fn a_client_that_gives_a_request_up_frees_the_endpoint() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = sluice(&upstream);
    let client = Http2::connect(sluice.address);
    let held = client.request("GET", HOST, "/").body(Full::default()).unwrap();
    client.give_up(held, || upstream.requests() == 1);
    system_tests::eventually("nothing is in flight", || sluice.metrics().open().1 == 0);
    gate.open();
}

#[test]
fn http1_is_still_spoken_where_http2_may_be() {
    let upstream = echo();
    let sluice = sluice(&upstream);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    let mut client = Client::connect(sluice.address);
    // It could still become either.
    client.send("P");
    std::thread::sleep(std::time::Duration::from_millis(50));
    client.send("OST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.response().status(), 200);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send("PRI * HTTP/1.1\r\nHost: host.test\r\n\r\n").response().status(), 400);
}

#[test]
fn a_client_that_speaks_neither_http_is_told_nothing_and_one_that_spoke_either_is() {
    let upstream = echo();
    let sluice = sluice(&upstream);
    for neither in ["INVALID CONNECTION PREFACE\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "HELO\r\n"] {
        let mut client = Client::connect(sluice.address);
        client.send(neither).finish();
        let (said, end) = client.rest();
        let said = String::from_utf8_lossy(&said);
        let want = if neither.starts_with("PRI") { "HTTP/1.1 505 " } else { "" };
        assert!(said.starts_with(want) && said.is_empty() == want.is_empty(), "{neither:?}: {said}");
        assert_eq!(end, End::Clean, "{neither:?}");
    }
    assert_eq!(sluice.count("sluicegate_refusals_total{reason=\"not-http\"}"), 2);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(client.send("HELO\r\n\r\n").response().status(), 400);
}
