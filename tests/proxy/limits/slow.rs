//! Clients and upstreams that are too slow, and those that only look like it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proxy::Config;
use socket2::SockRef;
use system_tests::{Client, End, Sluice, Upstream, eventually};

const SHORT: Duration = Duration::from_millis(250);
/// How much too early a limit may be where a worker is held up: it counts from the tick that it saw last.
const TICK: Duration = Duration::from_millis(50);
/// Shorter than each limit is by default, so that what ends within it was ended by the one that a test has set; and long
/// enough for a machine with much to do.
const SOON: Duration = Duration::from_secs(8);
const POST: &str = "POST / HTTP/1.1\r\nHost: host.test\r\n";

/// Sends bytes one at a time until something comes back, and says how long that took.
fn drip(client: &mut Client, bytes: impl Iterator<Item = u8>) -> Duration {
    let started = Instant::now();
    for byte in bytes {
        if !client.is_quiet_for(Duration::from_millis(10)) {
            break;
        }
        let _ = client.try_send(&[byte]);
    }
    started.elapsed()
}

#[test]
fn a_head_that_is_not_whole_in_time_is_408_however_busily_it_comes() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.head_timeout = SHORT, &[upstream.address]);
    for used in [false, true] {
        for busy in [false, true] {
            let mut client = Client::connect(sluice.address);
            if used {
                assert_eq!(client.get("/").status(), 200);
            }
            let started = Instant::now();
            if busy {
                drip(
                    &mut client,
                    b"GET / HTTP/1.1\r\nX: ".iter().copied().chain(std::iter::repeat_n(b'x', 2000)),
                );
            } else {
                client.send("GET / HTTP/1.1\r\nHo");
            }
            let answer = client.response();
            let took = started.elapsed();
            assert_eq!((answer.status(), answer.closes()), (408, true), "used: {used}, busy: {busy}");
            assert!(took + TICK >= SHORT && took < SOON, "{took:?}, used: {used}, busy: {busy}");
            assert_eq!(client.rest(), (vec![], End::Clean));
        }
    }
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn empty_lines_do_not_hold_a_connection() {
    let sluice = Sluice::with(|config| config.downstream.head_timeout = SHORT, &[]);
    let mut client = Client::connect(sluice.address);
    client.send("\r\n");
    assert_eq!(client.response().status(), 408);
}

#[test]
fn a_body_that_stops_coming_is_408_and_its_upstream_connection_is_gone() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.body_timeout = SHORT, &[upstream.address]);
    for (n, begin) in
        ["Content-Length: 9\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n5\r\n"]
            .iter()
            .enumerate()
    {
        let mut client = Client::connect(sluice.address);
        let started = Instant::now();
        let answer = client.send(format!("{POST}{begin}")).response();
        let took = started.elapsed();
        assert_eq!((answer.status(), answer.closes()), (408, true), "{begin:?}");
        assert!(took + TICK >= SHORT && took < SOON, "{took:?} {begin:?}");
        assert_eq!(client.rest(), (vec![], End::Clean));
        eventually("the upstream sees the end", || upstream.ended() == n + 1);
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_body_that_drips_is_408_however_busily_it_comes() {
    let upstream = Upstream::answering("hello");
    let change = |config: &mut Config| {
        (config.downstream.body_timeout, config.downstream.body_rate_min) = (SHORT, 100_000);
    };
    let sluice = Sluice::with(change, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("{POST}Content-Length: 10000\r\n\r\n"));
    let took = drip(&mut client, std::iter::repeat_n(b'x', 10_000));
    assert_eq!(client.response().status(), 408, "after {took:?}");
    assert!(took + TICK >= SHORT && took < SOON, "{took:?}");
    eventually("the upstream sees the end", || upstream.ended() == 1);
}

#[test]
fn a_body_that_keeps_coming_may_take_longer_than_any_single_wait() {
    /// No wait of a busy machine is as long.
    const EACH: Duration = Duration::from_secs(2);
    let upstream = Upstream::answering("hello");
    let change = |config: &mut Config| {
        config.downstream.body_rate_min = 10;
        (config.downstream.body_timeout, config.downstream.head_timeout) = (EACH, EACH);
        (config.upstream.head_timeout, config.max_request_time) = (EACH, EACH);
    };
    let sluice = Sluice::with(change, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("{POST}Content-Length: 320\r\n\r\n"));
    let took = drip(&mut client, std::iter::repeat_n(b'x', 320));
    assert_eq!(client.response().status(), 200, "after {took:?}");
    assert!(took > EACH);
}

/// An upstream that sends this much as fast as it is taken, and how much it has sent.
fn pouring(total: usize) -> (Upstream, Arc<AtomicUsize>) {
    let sent = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&sent);
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer
            .request()
            .and_then(|_| peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n")));
        while count.load(Ordering::SeqCst) < total && peer.send([b'x'; 64 << 10]).is_ok() {
            count.fetch_add(64 << 10, Ordering::SeqCst);
        }
        let _ = peer.request();
    });
    (upstream, sent)
}

/// More than the kernel keeps for two connections, and far less than what is sent.
const BUFFERS: usize = 24 << 20;
const TOTAL: usize = 128 << 20;

#[test]
fn a_client_that_does_not_take_its_answer_is_cut_and_little_of_it_was_read() {
    let (upstream, sent) = pouring(TOTAL);
    let sluice = Sluice::with(|config| config.downstream.write_timeout = SHORT * 2, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    SockRef::from(client.stream()).set_recv_buffer_size(64 << 10).expect("an open socket");
    client.request("GET", "/");
    eventually("its upstream sees the end", || upstream.ended() == 1);
    assert!(
        sent.load(Ordering::SeqCst) < BUFFERS,
        "{} bytes were read from the upstream",
        sent.load(Ordering::SeqCst)
    );
    assert!(client.try_response().is_err(), "what is cut must not look whole");
    eventually("it is counted", || sluice.count("sluicegate_refusals_total{reason=\"client-stalled\"}") == 1);
    eventually("it is closed", || sluice.count("sluicegate_connections_open") == 0);
}

#[test]
fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    const LENGTH: usize = 32 << 20;
    const EACH: Duration = Duration::from_secs(2);
    let (upstream, _sent) = pouring(LENGTH);
    let change = |config: &mut Config| {
        config.downstream.write_timeout = EACH;
        (config.upstream.body_timeout, config.max_request_time, config.idle_timeout) = (EACH, EACH, EACH);
    };
    let sluice = Sluice::with(change, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let head = client.request("GET", "/").head().expect("a head");
    let (mut taken, started) = (0, Instant::now());
    while taken < LENGTH {
        if started.elapsed() < EACH * 2 {
            std::thread::sleep(Duration::from_millis(50));
        }
        taken += client.read_some(256 << 10).map_or(0, |some| some.len()).max(1);
    }
    assert_eq!((head.status(), taken), (200, LENGTH));
}

#[test]
fn an_upload_that_its_upstream_does_not_take_is_504_and_little_of_it_was_read() {
    let gate = system_tests::Gate::default();
    let closed = gate.clone();
    let upstream = Upstream::scripted(move |_| closed.pass());
    let change = |config: &mut Config| {
        config.upstream.head_timeout = SHORT * 2;
        config.downstream.linger_time_max = SHORT;
    };
    let sluice = Sluice::with(change, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let mut writer = client.stream().try_clone().expect("an open socket");
    let sender = std::thread::spawn(move || {
        let _ = std::io::Write::write_all(
            &mut writer,
            format!("{POST}Content-Length: {TOTAL}\r\n\r\n").as_bytes(),
        );
        for _ in 0..TOTAL >> 20 {
            if std::io::Write::write_all(&mut writer, &vec![b'x'; 1 << 20]).is_err() {
                return;
            }
        }
    });
    eventually("bytes come", || sluice.count("sluicegate_received_bytes_total") > 0);
    let answer = client.response();
    let received = sluice.count("sluicegate_received_bytes_total");
    assert_eq!((answer.status(), answer.closes()), (504, true));
    assert!(received < BUFFERS as u64, "{received} bytes were read from the client");
    sender.join().expect("the rest is thrown away");
    gate.open();
}

#[test]
fn an_upload_that_waits_for_its_upstream_is_not_slow() {
    const LENGTH: usize = 32 << 20;
    const WAIT: Duration = Duration::from_secs(4);
    let upstream = Upstream::scripted(|peer| {
        let head = peer.head().expect("a head");
        std::thread::sleep(WAIT);
        let mut rest = (&peer.stream).take(LENGTH as u64);
        let copied = std::io::copy(&mut rest, &mut std::io::sink());
        let _ = peer.respond(&format!("{} {}", head.start, copied.unwrap_or(0) > 0));
    });
    let sluice = Sluice::with(|config| config.downstream.body_timeout = WAIT / 2, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send(format!("{POST}Content-Length: {LENGTH}\r\n\r\n")).send(vec![b'x'; LENGTH]);
    assert_eq!(client.response().status(), 200);
}
