//! When a drain ends, and what is cut if it is not given the time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use system_tests::{Client, End, Gate, PATIENCE, Sluice, Upstream, eventually};

use super::last_answer;

#[test]
fn the_workers_end_at_once_when_no_client_is_left() {
    let upstream = Upstream::answering("hello");
    for workers in [1, 3] {
        let mut sluice = Sluice::with(|config| config.workers = workers, &[upstream.address]);
        (0..4).for_each(|_| drop(Client::connect(sluice.address).get("/")));
        eventually("all are gone", || sluice.metrics().open().0 == 0);
        sluice.drain();
        assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(0), "{workers} workers");
        assert!(TcpStream::connect(sluice.address).is_err(), "nothing listens any more");
    }
}

#[test]
fn a_client_that_stays_silent_is_closed_when_its_idle_time_is_over_and_the_workers_end() {
    let upstream = Upstream::answering("hello");
    let idle = Duration::from_millis(500);
    let mut sluice = Sluice::with(|config| config.idle_timeout = idle, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.get("/");
    let silent = Instant::now();
    sluice.drain();
    assert_eq!(client.rest(), (vec![], End::Clean));
    assert!(silent.elapsed() >= idle, "closed after {:?}", silent.elapsed());
    drop(client);
    assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(0));
}

#[test]
fn a_request_that_outlasts_the_idle_time_of_a_drain_is_answered() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice =
        Sluice::with(|config| config.idle_timeout = Duration::from_millis(300), &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.drain();
    eventually("the listener is closed: the idle time is over", || {
        TcpStream::connect(sluice.address).is_err()
    });
    gate.open();
    last_answer(&mut client);
    drop(client);
    assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(0));
}

#[test]
fn the_drain_waits_for_a_client_that_reads_slowly() {
    const BODY_BYTES: usize = 16 << 20;
    let upstream = Upstream::answering(&"x".repeat(BODY_BYTES));
    let mut sluice =
        Sluice::with(|config| config.idle_timeout = Duration::from_millis(100), &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let head = client.request("GET", "/").head().expect("a head");
    sluice.drain();
    let reader = thread::spawn(move || {
        let mut read = 0;
        while read < BODY_BYTES / 2 {
            read += client.read_some(64 << 10).expect("more of the body").len();
            thread::sleep(Duration::from_millis(4));
        }
        let (rest, end) = client.rest();
        (read + rest.len(), end)
    });
    let report = sluice.finished_within(PATIENCE).expect("the drain ends");
    let (read, end) = reader.join().expect("the client is done");
    assert_eq!((head.status(), read, end, report.cut), (200, BODY_BYTES, End::Clean, 0));
}

#[test]
fn a_hard_stop_cuts_what_is_left_and_counts_it() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice = Sluice::with(|config| config.workers = 2, &[upstream.address]);
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(sluice.address)).collect();
    let mut idle = Client::connect(sluice.address);
    for client in &mut clients {
        client.request("GET", "/");
    }
    eventually("three requests are in flight", || upstream.requests() == 3);
    eventually("the idle one is accepted", || sluice.metrics().open() == (4, 3));
    sluice.drain();
    sluice.stop();
    assert_eq!(
        sluice.finished_within(PATIENCE).map(|report| report.cut),
        Some(3),
        "an idle connection is no request"
    );
    assert!(idle.sees_eof());
    gate.open();
}

#[test]
fn a_response_that_its_client_has_not_taken_whole_counts_as_cut() {
    // The smaller one is less than we keep of what a client does not take.
    const PIECES: [usize; 2] = [8 << 10, 1 << 10];
    let (more, tell) = mpsc::channel();
    let tell = Mutex::new(tell);
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.request();
        if peer.place > 0 {
            return;
        }
        let _ = peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while let Ok(bytes) = tell.lock().expect("one connection").recv() {
            let _ = peer.send(format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes)));
        }
        let _ = peer.send("0\r\n\r\n");
        let _ = peer.request().and_then(|_| peer.respond("reused"));
    });
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/").head().expect("a head");
    let sent = || sluice.count("sluicegate_sent_bytes_total");
    for bytes in PIECES {
        loop {
            let before = sent();
            more.send(bytes).expect("the upstream listens");
            let deadline = Instant::now() + Duration::from_millis(300);
            while sent() < before + bytes as u64 && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            if sent() < before + bytes as u64 {
                break;
            }
        }
        if bytes == PIECES[0] {
            // What we keep goes out, and there is some room to be filled up to the last piece.
            client.stream().read_exact(&mut vec![0; 16 * PIECES[0]]).expect("that much was sent");
        }
    }
    // The kernel takes no more: a piece is left with us, and only the client holds us up.
    drop(more);
    let mut other = Client::connect(sluice.address);
    eventually("the upstream's part is done", || other.get("/").text() == "reused");
    sluice.stop();
    assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(1));
    assert!(!client.rest().0.ends_with(b"0\r\n\r\n"), "the response is not whole");
}

#[test]
fn a_response_that_a_hard_stop_cuts_never_looks_whole() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        passed.pass();
    });
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    // To a client of HTTP/1.0 the end of the stream is the end of the response.
    client.stream().write_all(b"GET / HTTP/1.0\r\n\r\n").expect("the proxy reads");
    client.head().expect("a head");
    sluice.stop();
    assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(1));
    assert_eq!(client.rest().1, End::Reset);
    gate.open();
}
