//! Leaving: what a signal costs the clients, and what the exit code says of it.

mod late;

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Folder, Gate, Upstream, eventually, ingress, service, slice};

fn shop(upstream: &Upstream) -> Folder {
    Folder::new(&[
        ("web.yaml", ingress("web", "shop.example.com", "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ])
}

const HOST: &str = "shop.example.com";

#[test]
fn a_request_in_flight_is_answered_its_client_told_to_leave_and_the_exit_code_is_0() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    client.send(HOST, "/held");
    upstream.wait_until_one_is_held();
    gate.drain();
    assert_eq!(gate.page("/live").0, 200);
    upstream.release();
    let answer = client.answer();
    assert_eq!((answer.status, &*answer.body, answer.closes()), (200, "one", true), "{answer:?}");
    client.wait_until_closed();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn an_idle_connection_stays_open_through_the_drain_until_its_client_has_spoken() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    assert!(!client.get(HOST, "/").closes());
    gate.signal(Signal::INT);
    eventually("the drain", || gate.log().contains("draining").then_some(()));
    let answer = client.get(HOST, "/");
    assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
    client.wait_until_closed();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_client_that_stays_silent_is_waited_for_as_long_as_the_idle_timeout_says() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &["--idle-timeout", "2s", "--max-request-time", "60s"]);
    let mut client = gate.client();
    assert_eq!(client.get(HOST, "/").status, 200);
    let spoke = Instant::now();
    gate.drain();
    client.wait_until_closed();
    assert!(spoke.elapsed() >= Duration::from_millis(1900), "{:?}", spoke.elapsed());
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn endpoints_stay_fresh_while_the_process_drains() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let folder = shop(&one);
    let mut gate = Gate::start(&folder, &[]);
    let (mut held, mut idle) = (gate.client(), gate.client());
    assert_eq!(idle.get(HOST, "/").body, "one");
    held.send(HOST, "/held");
    one.wait_until_one_is_held();
    gate.drain();
    folder.write("slice.yaml", &slice("web", two.address, true));
    let fresh = format!("\"{}\"", two.address);
    eventually("the new endpoint", || gate.page("/endpoints").1.contains(&fresh).then_some(()));
    assert_eq!(idle.get(HOST, "/").body, "two");
    idle.wait_until_closed();
    one.release();
    assert_eq!(held.answer().body, "one");
    held.wait_until_closed();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_second_signal_ends_at_once_and_the_exit_code_says_that_a_request_was_cut() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    client.send(HOST, "/held");
    upstream.wait_until_one_is_held();
    gate.drain();
    assert!(gate.runs());
    gate.signal(Signal::TERM);
    client.wait_until_closed();
    assert_eq!(gate.exit_code(), 3, "{}", gate.log());
}

#[test]
fn a_drain_without_connections_ends_at_once() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &[]);
    let asked = Instant::now();
    gate.signal(Signal::TERM);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}
