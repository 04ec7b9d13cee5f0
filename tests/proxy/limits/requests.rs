//! What is too large or too many.

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
fn a_body_that_says_that_it_is_too_large_is_refused_before_anybody_hears_of_it() {
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
fn one_client_too_many_waits_until_another_leaves() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.connections_max = 2, &[upstream.address]);
    let mut served = [Client::connect(sluice.address), Client::connect(sluice.address)];
    for client in &mut served {
        assert_eq!(client.get("/").status(), 200);
    }
    let mut waiting = Client::connect(sluice.address);
    waiting.request("GET", "/");
    for _ in 0..20 {
        assert_eq!(served[0].get("/").status(), 200, "those inside are served");
    }
    assert!(waiting.is_quiet_for(Duration::from_millis(100)), "it was let in as a third");
    assert_eq!(sluice.count("sluicegate_connections_open"), 2);
    let [stays, leaves] = served;
    drop(leaves);
    assert_eq!(waiting.response().status(), 200);
    drop(stays);
}
