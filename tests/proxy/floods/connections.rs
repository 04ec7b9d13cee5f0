//! Floods of connections, or of streams, that wait for something which does not come.

use std::time::Duration;

use socket2::SockRef;
use system_tests::frames::{END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, SETTINGS, block};
use system_tests::{Client, End, eventually};

use super::{Bench, LARGE_BYTES, SHORT_MS};

const SHORT: Duration = Duration::from_millis(SHORT_MS);
/// Connections of an attacker: more than what a worker calls a crowd.
const MANY: usize = 300;
/// The setting that no answer may have a body until there is room (RFC 9113 §6.5.2).
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// Connections that have begun like this.
fn begin(bench: &Bench, bytes: &str) -> Vec<Client> {
    let mut clients: Vec<_> = (0..MANY).map(|_| Client::connect(bench.sluice.address)).collect();
    for client in &mut clients {
        client.send(bytes);
    }
    clients
}

#[test]
fn heads_that_do_not_end_are_408_each_and_others_are_served_meanwhile() {
    let bench = Bench::with(|config| config.downstream.head_timeout = SHORT * 4);
    let mut visitor = bench.visitor();
    eventually("the visitor is parked", || bench.sluice.count("sluicegate_connections_parked") == 1);
    let received = bench.sluice.count("sluicegate_received_bytes_total");
    let slow = begin(&bench, "GET / HTTP/1.1\r\nHost: host.test\r\nX: ");
    eventually("all are known", || bench.sluice.metrics().accepted() == MANY as u64 + 1);
    eventually("all have begun", || bench.sluice.count("sluicegate_connections_parked") == 1);
    let read = bench.sluice.count("sluicegate_received_bytes_total") - received;
    assert_eq!(read, 0, "half a head waits in the kernel, where it costs nothing");
    bench.serves(&mut visitor);
    for mut client in slow {
        assert_eq!(client.response().status(), 408);
        assert_eq!(client.rest(), (vec![], End::Clean));
    }
    assert_eq!(bench.refusals("head-timeout"), MANY as u64);
    bench.serves(&mut visitor);
}

#[test]
fn bodies_that_do_not_end_are_408_each_and_their_endpoint_is_let_go() {
    let bench = Bench::with(|config| config.downstream.body_timeout = SHORT);
    let mut visitor = bench.visitor();
    let slow = begin(&bench, "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 1000\r\n\r\nx");
    bench.serves(&mut visitor);
    for mut client in slow {
        assert_eq!(client.response().status(), 408);
        assert_eq!(client.rest(), (vec![], End::Clean));
    }
    eventually("nothing is in flight", || bench.sluice.metrics().open().1 == 0);
    // But for what is kept for others like the visitor.
    eventually("the upstream is let go", || bench.upstream.ended() + 2 >= bench.upstream.connections());
    bench.serves(&mut visitor);
}

#[test]
fn while_many_requests_are_under_way_no_endpoint_is_held_for_a_body_that_has_not_begun() {
    const CROWD: usize = 256;
    const POST: &str = "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n";
    let bench = Bench::with(|_| {});
    let mut visitor = bench.visitor();
    let in_flight = || bench.sluice.metrics().open().1;
    let mut begun = 0;
    let mut begin = |rest: &str, is_told_of: bool| {
        let mut client = Client::connect(bench.sluice.address);
        client.send(format!("{POST}{rest}"));
        begun += u64::from(is_told_of);
        eventually("its head is known", || {
            in_flight() == begun && bench.sluice.count("sluicegate_connections_parked") == 1
        });
        client
    };
    eventually("the visitor is parked", || bench.sluice.count("sluicegate_connections_parked") == 1);
    let crowd: Vec<_> = (0..CROWD).map(|_| begin("\r\nx", true)).collect();
    let mut held = begin("\r\nx", false);
    drop(begin("\r\nx", false));
    eventually("the client that leaves is gone", || bench.refusals("client-gone") == 1);
    let mut asking = begin("Expect: 100-continue\r\n\r\n", true);
    assert_eq!(asking.response().status(), 100);
    let _conversing = begin("\r\n", false);
    held.send("yyy");
    assert_eq!(held.response().text(), "hello");
    visitor.send(format!("{POST}\r\nzzzz"));
    assert_eq!(visitor.response().text(), "hello");
    drop(crowd);
    eventually("the crowd is gone", || in_flight() <= 1);
    bench.serves(&mut visitor);
}

#[test]
fn answers_that_are_not_read_are_given_up_and_others_are_served_meanwhile() {
    const FEW: usize = 20;
    let bench = Bench::with(|config| config.downstream.write_timeout = SHORT);
    let mut visitor = bench.visitor();
    let mut slow: Vec<_> = (0..FEW).map(|_| Client::connect(bench.sluice.address)).collect();
    for client in &mut slow {
        SockRef::from(client.stream()).set_recv_buffer_size(16 << 10).unwrap();
        client.request("GET", "/large");
    }
    bench.serves(&mut visitor);
    eventually("all are given up", || bench.refusals("client-stalled") == FEW as u64);
    eventually("their endpoints are let go", || bench.upstream.ended() >= FEW);
    assert!(slow.iter_mut().all(|client| client.try_response().is_err()), "what is cut must not look whole");
    bench.serves(&mut visitor);
}

#[test]
fn answers_without_a_window_are_reset_each_and_the_connection_serves_on() {
    const STREAMS: u32 = 50;
    let bench = Bench::with(|config| config.downstream.write_timeout = SHORT);
    let mut visitor = bench.visitor();
    let mut frames = Frames::connect(bench.sluice.address);
    frames.send(SETTINGS, 0, 0, &NO_WINDOW);
    let head = |path| block(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)]);
    let ids = || (0..STREAMS).map(|place| 2 * place + 1);
    ids().for_each(|id| frames.send(HEADERS, END_HEADERS | END_STREAM, id, &head("/large")));
    bench.serves(&mut visitor);
    for outcome in frames.outcomes(ids()) {
        assert!(matches!(outcome, Outcome::Reset(_)), "{outcome:?}");
    }
    assert_eq!(bench.refusals("client-stalled"), u64::from(STREAMS));
    eventually("nothing is in flight", || bench.sluice.metrics().open().1 == 0);
    let window = i32::MAX.unsigned_abs().to_be_bytes();
    frames.send(SETTINGS, 0, 0, &[&NO_WINDOW[..2], &window].concat());
    frames.send(HEADERS, END_HEADERS | END_STREAM, 2 * STREAMS + 1, &head("/"));
    assert_eq!(frames.outcome(2 * STREAMS + 1), Outcome::Status(200));
    bench.serves(&mut visitor);
}

#[test]
fn a_client_that_goes_on_sending_after_the_end_is_read_slowly() {
    let bench = Bench::with(|config| config.downstream.linger_time_max = SHORT);
    let mut visitor = bench.visitor();
    let mut client = Client::connect(bench.sluice.address);
    client.send("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n");
    assert_eq!(client.response().status(), 400);
    // At full speed all of it would be thrown away in this time.
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..LARGE_BYTES >> 20).try_for_each(|_| client.try_send(&piece));
    assert!(sent.is_err(), "the end comes before all is sent");
    let thrown_away = bench.sluice.count("sluicegate_late_request_bytes_total");
    assert!((1..LARGE_BYTES as u64 / 2).contains(&thrown_away), "{thrown_away}");
    bench.serves(&mut visitor);
}
