//! A client that closes its sending side. One whose request is whole still waits for its answer, like `nc -N` and some
//! health checks, or has left: the two look alike, so it is served, but not for long in vain.

use std::thread;
use std::time::Duration;

use proxy::{Config, Protocol};
use socket2::SockRef;
use system_tests::{Client, End, Gate, Sluice, Upstream, eventually};

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";
/// Longer than any test lasts.
const LONG: Duration = Duration::from_secs(3600);

fn with_time(time: Duration, upstream: &Upstream) -> Sluice {
    Sluice::with(|config: &mut Config| config.downstream.half_close_time = time, &[upstream.address])
}

#[test]
fn a_client_that_closes_its_side_after_its_request_gets_its_answer() {
    for request in [
        GET.to_owned(),
        GET.replace("HTTP/1.1", "HTTP/1.0"),
        "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
    ] {
        let gate = Gate::default();
        let upstream = Upstream::gated(&gate, "hello");
        let sluice = with_time(LONG, &upstream);
        let mut client = Client::connect(sluice.address);
        client.send(&request);
        client.finish();
        eventually("the request is in flight", || upstream.requests() == 1);
        assert!(client.is_quiet_for(Duration::from_millis(300)), "{request:?}");
        gate.open();
        assert_eq!(client.response().text(), "hello", "{request:?}");
        assert_eq!(client.rest(), (vec![], End::Clean), "{request:?}");
        eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
        assert_eq!(upstream.connections(), 1);
    }
}

#[test]
fn all_requests_that_came_before_the_end_are_answered() {
    let upstream = Upstream::answering("hello");
    let sluice = with_time(LONG, &upstream);
    let mut client = Client::connect(sluice.address);
    client.send(GET.repeat(3));
    client.finish();
    for _ in 0..3 {
        assert_eq!(client.response().text(), "hello");
    }
    assert_eq!(client.rest(), (vec![], End::Clean));
}

#[test]
fn a_refusal_reaches_a_client_that_has_closed_its_side() {
    let sluice = Sluice::start(&[]);
    for (request, status) in [("GET / HTTP/1.1\r\n\r\n", 400), (GET, 503)] {
        let mut client = Client::connect(sluice.address);
        client.send(request);
        client.finish();
        assert_eq!(client.response().status(), status, "{request:?}");
        assert_eq!(client.rest(), (vec![], End::Clean), "{request:?}");
    }
}

#[test]
fn one_that_is_told_nothing_for_too_long_counts_as_gone_and_its_upstream_learns_of_it() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = with_time(Duration::from_millis(200), &upstream);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    client.finish();
    // Neither an answer nor a refusal: both would be the answer to a request that was taken back.
    assert_eq!(client.rest().0, Vec::<u8>::new());
    eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
    gate.open();
    eventually("the upstream's connection is closed", || upstream.ended() == 1);
}

#[test]
fn one_that_gets_its_answer_piece_by_piece_gets_all_of_it() {
    const PIECES: usize = 6;
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
        for _ in 0..PIECES {
            thread::sleep(Duration::from_millis(800));
            let _ = peer.send("x");
        }
    });
    let sluice = with_time(Duration::from_secs(3), &upstream);
    let mut client = Client::connect(sluice.address);
    client.send(GET);
    client.finish();
    assert_eq!(client.response().body.len(), PIECES);
}

#[test]
fn a_client_that_leaves_beyond_doubt_is_not_waited_for() {
    for request in [GET, "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 9\r\n\r\nhello"] {
        let upstream = Upstream::scripted(|peer| {
            let _ = peer.head();
            peer.discard();
        });
        let sluice = with_time(LONG, &upstream);
        let mut client = Client::connect(sluice.address);
        client.send(request);
        eventually("the request is in flight", || {
            sluice.metrics().open().1 == 1 && upstream.connections() == 1
        });
        if request == GET {
            SockRef::from(client.stream()).set_linger(Some(Duration::ZERO)).expect("an open socket");
        }
        drop(client);
        eventually("its upstream learns of it", || upstream.ended() == 1);
        eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
    }
}

#[test]
fn a_client_that_closes_its_side_after_its_answer_has_come_sees_a_clean_end() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").text(), "hello");
    client.finish();
    assert_eq!(client.rest(), (vec![], End::Clean));
    eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
}

#[test]
fn a_client_that_closes_its_side_during_a_drain_does_not_hold_it_up() {
    let upstream = Upstream::answering("hello");
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect(sluice.address)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
    sluice.drain();
    clients.iter_mut().for_each(Client::finish);
    let report = sluice.finished_within(Duration::from_secs(10)).expect("no connection is left");
    assert_eq!(report.cut, 0);
}

#[test]
fn a_client_that_closes_its_side_in_the_middle_of_a_head_or_a_preface_is_let_go_at_once() {
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    for (sluice, begun) in [
        (Sluice::start(&[]), "GET / HT"),
        (Sluice::speaking(protocol.clone(), |_| {}, &[]), "PRI * HT"),
        (Sluice::speaking(protocol, |_| {}, &[]), "GET / HT"),
    ] {
        let mut client = Client::connect(sluice.address);
        client.send(begun);
        client.finish();
        let asked = std::time::Instant::now();
        eventually("nothing is left of it", || {
            sluice.metrics().accepted() == 1 && sluice.metrics().open().0 == 0
        });
        let head_timeout = proxy::Config::default().downstream.head_timeout;
        assert!(asked.elapsed() < head_timeout, "{begun:?} was waited for");
    }
}
