//! Answers that break off, stall, or come before their request is whole: what the client sees of them.

use std::time::Duration;

use proxy::Config;
use system_tests::{Client, End, Gate, Sluice, Upstream, eventually};

/// Sends the beginning of an answer, then dies.
fn breaking(part: &'static str) -> Upstream {
    Upstream::scripted(move |peer| {
        let _ = peer.request().and_then(|_| peer.send(part));
    })
}

const HALF_OF_LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf";
const HALF_OF_CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
const HALF_A_CHUNK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf";
const HALF_A_TRAILER: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX-Sum: 1";

/// Whether the answer ends in an error; one that does not end at all is not cut.
fn is_cut(client: &mut Client) -> bool {
    matches!(client.try_response(), Err(e) if e.kind() != std::io::ErrorKind::WouldBlock)
}

#[test]
fn an_answer_that_breaks_off_never_looks_whole() {
    for part in [HALF_OF_LENGTH, HALF_OF_CHUNKS, HALF_A_CHUNK, HALF_A_TRAILER] {
        let upstream = breaking(part);
        let sluice = Sluice::start(&[upstream.address]);
        for version in ["1.1", "1.0"] {
            let mut client = Client::connect(sluice.address);
            client.send(format!("GET / HTTP/{version}\r\nHost: host.test\r\n\r\n"));
            assert!(is_cut(&mut client), "HTTP/{version}: {part:?} looks whole");
        }
        assert_eq!((upstream.requests(), sluice.count("sluicegate_retries_total")), (2, 0), "{part:?}");
    }
}

#[test]
fn an_answer_that_stalls_is_cut_and_never_looks_whole() {
    for part in [HALF_OF_LENGTH, HALF_OF_CHUNKS] {
        let gate = Gate::default();
        let passed = gate.clone();
        let upstream = Upstream::scripted(move |peer| {
            let _ = peer.request().and_then(|_| peer.send(part));
            passed.pass();
        });
        let change = |config: &mut Config| config.upstream.body_timeout = Duration::from_millis(100);
        let sluice = Sluice::with(change, &[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send("GET / HTTP/1.0\r\nHost: host.test\r\n\r\n");
        assert!(is_cut(&mut client), "{part:?} looks whole");
        gate.open();
    }
}

#[test]
fn an_answer_that_keeps_coming_may_take_longer_than_any_single_wait() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request().and_then(|_| peer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"));
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(250));
            let _ = peer.send("x");
        }
    });
    let change = |config: &mut Config| {
        let any = Duration::from_millis(1500);
        config.upstream.body_timeout = any;
        (config.upstream.head_timeout, config.max_request_time) = (any, any);
        config.idle_timeout = any;
    };
    let sluice = Sluice::with(change, &[upstream.address]);
    assert_eq!(Client::connect(sluice.address).get("/").text(), "xxxxxxxx");
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole() {
    let upstream = breaking("HTTP/1.0 200 OK\r\n\r\nhello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let answer = client.get("/");
    assert_eq!(
        (answer.text().as_str(), answer.closes()),
        ("hello", false),
        "it is framed anew for the client"
    );
}

#[test]
fn what_is_no_answer_is_502_and_the_client_is_kept() {
    for junk in
        ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", ""]
    {
        let upstream = breaking(junk);
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        let answer = client.request("POST", "/").response();
        assert_eq!((answer.status(), answer.closes()), (502, false), "{junk:?}");
        assert_eq!(
            (client.request("POST", "/").response().status(), upstream.requests()),
            (502, 2),
            "{junk:?}"
        );
    }
}

#[test]
fn bytes_behind_an_answer_never_become_the_answer_to_the_next_request() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", peer.place);
        let _ = peer.send(format!("{answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"));
        let _ = peer.request();
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!([client.get("/").text(), client.get("/").text()], ["0", "1"]);
}

/// Sends the head of a request with a body, and the first half of that.
fn begin_upload(client: &mut Client, length: usize) {
    client.send(format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {length}\r\n\r\n"));
    client.send(vec![b'x'; length / 2]);
}

#[test]
fn an_answer_that_comes_before_its_request_is_whole_arrives_whole() {
    const LENGTH: usize = 4 << 20;
    let early = Upstream::scripted(|peer| {
        let _ = peer.head();
        let _ = peer
            .send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge");
        peer.discard();
    });
    let sluice = Sluice::start(&[early.address]);
    let mut client = Client::connect(sluice.address);
    begin_upload(&mut client, LENGTH);
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (413, "large"));
    client.send(vec![b'x'; LENGTH / 2]);
    assert_eq!(client.rest(), (vec![], End::Clean), "a reset could have destroyed the answer");
    assert_eq!(early.connections(), 1, "it was not tried again");
}

#[test]
fn an_answer_that_comes_before_its_request_is_whole_says_that_the_connection_ends() {
    let early = Upstream::scripted(|peer| {
        let _ = peer.head();
        let _ = peer.respond("early");
        peer.discard();
    });
    let sluice = Sluice::start(&[early.address]);
    let mut client = Client::connect(sluice.address);
    begin_upload(&mut client, 4 << 20);
    let answer = client.response();
    assert_eq!((answer.text().as_str(), answer.closes()), ("early", true));
    eventually("its connection to the upstream is not used again", || early.ended() == 1);
}

#[test]
fn the_rest_of_an_upload_does_not_shorten_the_wait_for_the_answers_body() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.head();
        let _ = peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        let _ = std::io::Read::read_exact(&mut peer.stream, &mut [0; 4]);
        std::thread::sleep(Duration::from_millis(400));
        let _ = peer.send("hello");
    });
    let change = |config: &mut Config| config.upstream.head_timeout = Duration::from_millis(100);
    let sluice = Sluice::with(change, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n\r\n");
    let head = client.head().expect("a head");
    client.send("body");
    assert_eq!(client.read_body(&head).expect("a whole body"), b"hello");
}

#[test]
fn a_client_that_leaves_takes_its_request_off_the_upstream() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        peer.discard();
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    drop(client);
    eventually("the upstream sees the end", || upstream.ended() == 1);
    assert_eq!(sluice.metrics().open(), (0, 0));
}
