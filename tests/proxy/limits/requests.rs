//! What is too large or too many.

use std::collections::VecDeque;
use std::time::Duration;

use proxy::Config;
use system_tests::{Client, End, Sluice, Upstream, eventually};

const LIMIT: usize = 1 << 20;

fn limited(upstream: &Upstream) -> Sluice {
    Sluice::with(|config: &mut Config| config.downstream.body_bytes_max = LIMIT as u64, &[upstream.address])
}

fn sized(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn a_body_of_just_the_allowed_size_passes_in_both_framings() {
    let upstream = Upstream::answering("hello");
    let sluice = limited(&upstream);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(sized(LIMIT)).send(vec![b'x'; LIMIT]).response().status(), 200);
    client.send("POST / HTTP/1.1\r\nHost: host.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(format!("{LIMIT:x}\r\n")).send(vec![b'x'; LIMIT]);
    assert_eq!(client.send("\r\n0\r\n\r\n").response().status(), 200);
}

#[test]
fn a_body_that_says_that_it_is_too_large_is_refused_before_an_upstream_hears_of_it() {
    let upstream = Upstream::answering("hello");
    let sluice = limited(&upstream);
    let mut client = Client::connect(sluice.address);
    // Its client sends all of it before it looks for an answer.
    client.send(sized(8 * LIMIT)).send(vec![b'x'; 8 * LIMIT]);
    assert_eq!(client.response().status(), 413);
    assert_eq!((client.rest(), upstream.received()), ((vec![], End::Clean), 0));
}

#[test]
fn a_body_that_turns_out_too_large_is_refused_and_never_whole() {
    let upstream = Upstream::answering("hello");
    let sluice = limited(&upstream);
    let mut client = Client::connect(sluice.address);
    client.send("POST / HTTP/1.1\r\nHost: host.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..8 {
        client.send(format!("{LIMIT:x}\r\n")).send(vec![b'x'; LIMIT]).send("\r\n");
    }
    client.send("0\r\n\r\n");
    let answer = client.response();
    assert_eq!((answer.status(), answer.closes()), (413, true));
    assert_eq!(client.rest(), (vec![], End::Clean));
    eventually("the upstream sees the end", || upstream.ended() == 1);
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_client_too_many_waits_until_another_leaves() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.connections_max = 2, &[upstream.address]);
    let connect = |_| Client::connect(sluice.address);
    let mut served: VecDeque<Client> = (0..2).map(connect).collect();
    for client in &mut served {
        assert_eq!(client.get("/").status(), 200);
    }
    let mut waiting: VecDeque<Client> = (0..5).map(connect).collect();
    for client in &mut waiting {
        client.request("GET", "/");
    }
    while let Some(mut next) = waiting.pop_front() {
        assert!(next.is_quiet_for(Duration::from_millis(70)), "it was let in as a third");
        assert_eq!(served[1].get("/").status(), 200, "those inside are served");
        served.pop_front();
        assert_eq!(next.response().status(), 200);
        assert_eq!(sluice.count("sluicegate_connections_open"), 2);
        served.push_back(next);
    }
}

#[test]
fn the_limits_on_fields_hold_in_both_directions_and_for_trailers() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let fields = "X: y\r\n".repeat(request.target()[1..].parse().unwrap_or(0));
            if peer.send(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n")).is_err() {
                return;
            }
        }
    });
    let limits = |config: &mut Config| {
        (config.downstream.head_fields_max, config.upstream.head_fields_max) = (200, 300);
    };
    let sluice = Sluice::with(limits, &[upstream.address]);
    for (request, response, trailers, status) in
        [(199, 299, 0, 200), (200, 0, 0, 431), (0, 300, 0, 502), (0, 0, 200, 200), (0, 0, 201, 400)]
    {
        let fields = "X: y\r\n".repeat(request);
        let (body, coding) = match trailers {
            0 => (String::new(), ""),
            many => (format!("0\r\n{}\r\n", "X: y\r\n".repeat(many)), "Transfer-Encoding: chunked\r\n"),
        };
        let head = format!("POST /{response} HTTP/1.1\r\nHost: host.test\r\n{coding}{fields}\r\n");
        let answer = Client::connect(sluice.address).send(head + &body).response();
        assert_eq!(
            answer.status(),
            status,
            "{request} fields, {trailers} trailers, {response} in the answer"
        );
    }
}
