//! Clients that are silent for so long that no task is kept for their connection.

use std::thread;
use std::time::{Duration, Instant};

use proxy::Protocol;
use system_tests::{Client, End, PATIENCE, Sluice, Upstream, eventually};

use super::{REQUEST, each_is_answered_or_counted};
use crate::secure::Edge;

/// Twice as long as a task is kept.
const LONG: Duration = Duration::from_millis(1000);
const OPEN: &str = "sluicegate_connections_open";

/// Answers with what it is told of the client.
fn telling() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let text = ["x-real-ip", "x-forwarded-proto"].map(|name| request.field(name).unwrap()).join(" ");
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        }
    })
}

#[test]
fn a_client_that_was_silent_for_long_is_still_known() {
    let upstream = telling();
    let from = vec!["127.0.0.1/32".parse().unwrap()];
    let limit = |config: &mut proxy::Config| config.downstream.connections_per_client_max = 1;
    let proxied = Protocol { proxy_header_from: from, ..Protocol::default() };
    let (sluice, edge) =
        (Sluice::speaking(proxied, limit, &[upstream.address]), Edge::start(&[upstream.address]));
    let mut plain = Client::connect(sluice.address);
    plain.send("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n");
    let mut secure = edge.connect("a.test");
    for _ in 0..3 {
        assert_eq!(plain.send(REQUEST).response().text(), "192.0.2.7 http");
        assert_eq!(secure.get("a.test", "/").unwrap().text(), "127.0.0.1 https");
        assert!(plain.is_quiet_for(LONG));
        let mut other = Client::connect(sluice.address);
        other.send("PROXY TCP4 192.0.2.7 198.51.100.1 4712 80\r\n").send(REQUEST);
        assert_eq!(other.response().status(), 503, "it counts as a connection of its client");
    }
    drop(plain);
    eventually("it is gone", || sluice.count(OPEN) == 0);
}

#[test]
fn no_request_is_lost_at_the_moment_at_which_its_connection_loses_its_task() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..200).map(|_| Client::connect(sluice.address)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").status(), 200));
    // Twice a tick of 50 ms after 20 ms of silence, and after another 500.
    let answered = Instant::now();
    for (place, client) in clients.iter_mut().enumerate() {
        let moment = answered + Duration::from_millis(500 + place as u64);
        thread::sleep(moment.saturating_duration_since(Instant::now()));
        client.send(&REQUEST[..20]).send(&REQUEST[20..]);
    }
    clients.iter_mut().for_each(|client| assert_eq!(client.response().status(), 200));
}

#[test]
fn a_request_written_while_a_long_idle_time_runs_out_is_answered_or_counted() {
    each_is_answered_or_counted::<200>(LONG, Duration::from_millis(1));
}

#[test]
fn a_drain_keeps_those_that_are_silent_until_they_are_told_and_its_end_closes_the_others() {
    let upstream = Upstream::answering("hello");
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..2).map(|_| Client::connect(sluice.address)).collect();
    clients.iter_mut().for_each(|client| assert!(!client.get("/").closes()));
    assert!(clients[0].is_quiet_for(LONG));
    sluice.drain();
    assert!(clients[0].is_quiet_for(LONG));
    let answer = clients[0].get("/");
    assert_eq!((answer.status(), answer.closes()), (200, true));
    assert_eq!(clients[0].rest(), (vec![], End::Clean));
    assert!(clients[1].is_quiet_for(Duration::from_millis(1)));
    sluice.stop();
    assert_eq!(clients[1].rest(), (vec![], End::Clean));
    assert_eq!(sluice.finished_within(PATIENCE).map(|report| report.cut), Some(0));
}
