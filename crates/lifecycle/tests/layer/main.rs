//! What the layer is for, seen from the other side of a socket: the example as a process, real signals, and clients that
//! never try again.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod client;
mod service;

use std::time::{Duration, Instant};

use client::Client;
use service::Service;
use test_support::Message;

/// More than anything here takes, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// A delay whose end no test waits for, in seconds.
const LONG: &str = "600";

/// A request that is in flight until the test ends it.
struct Sending(Client);

impl Sending {
    fn begin(service: &mut Service) -> Sending {
        let mut client = service.client();
        client.write("POST /sending HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1\r\n\r\n");
        service.prints("/sending");
        Sending(client)
    }

    fn end(&mut self) -> Message {
        self.0.write("!");
        let head = self.0.head();
        self.0.body(head)
    }
}

#[test]
fn no_client_is_turned_away_while_something_is_in_flight_and_then_it_exits_with_0() {
    let mut service = Service::start("0", LONG);
    let (mut kept, idle) = (service.client(), service.client());
    let mut sending = Sending::begin(&mut service);
    assert!(!kept.get("/").closes());
    service.terminate();
    // Whether the signal or a request is first is for the system to say; each request is answered.
    kept.get_until_told_to_leave();
    assert_eq!(kept.rest(), "");
    for mut client in [idle, service.client()] {
        assert!(client.get("/").closes());
        assert_eq!(client.rest(), "");
    }
    assert!(sending.end().closes());
    assert_eq!(service.exit_code(), 0);
}

#[test]
fn the_delay_goes_on_when_nothing_is_in_flight() {
    const DELAY: Duration = Duration::from_secs(1);
    let service = Service::start("1", "0");
    let signalled = Instant::now();
    service.terminate();
    assert_eq!(service.exit_code(), 0);
    assert!(signalled.elapsed() >= DELAY, "{:?}", signalled.elapsed());
}

#[test]
fn the_last_bytes_reach_a_client_that_reads_slowly() {
    let mut service = Service::start("0", "60");
    let mut client = service.client();
    // Far more than the kernel holds for both sides.
    client.send("/bytes/67108864");
    let head = client.head();
    service.terminate();
    service.prints("accepting no more: Finished");
    assert_eq!(client.body(head).body.len(), 64 << 20);
    assert_eq!(service.exit_code(), 0);
}

#[test]
fn what_takes_too_long_is_cut_and_the_exit_code_says_so() {
    let mut service = Service::start("0", "0.1");
    let Sending(client) = Sending::begin(&mut service);
    service.terminate();
    assert_eq!(client.rest(), "");
    service.prints("accepting no more: Cut { in_flight: 1 }");
    assert_eq!(service.exit_code(), 1);
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut service = Service::start(LONG, LONG);
    let Sending(client) = Sending::begin(&mut service);
    service.terminate();
    service.client().get_until_told_to_leave();
    service.terminate();
    assert_eq!(client.rest(), "");
    assert_eq!(service.exit_code(), 1);
}

#[test]
fn a_client_of_http_1_0_is_told_nothing_that_contradicts() {
    let service = Service::start(LONG, "0");
    service.terminate();
    service.client().get_until_told_to_leave();
    let mut client = service.client();
    client.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.rest();
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(!answer.contains("keep-alive"), "{answer}");
}
