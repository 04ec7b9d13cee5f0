//! A process that is about to leave asks for no new clients, and serves those that still come.

mod balancers;
mod commands;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Client, Folder, Gate, PATIENCE, Upstream, eventually, ingress, service, slice};

const HOST: &str = "shop.example.com";
/// Long enough to look around.
const LAME: Duration = Duration::from_secs(3);

/// A shop with one upstream.
struct Shop {
    folder: Folder,
    _upstream: Upstream,
}

impl Shop {
    fn open() -> Shop {
        let upstream = Upstream::start("one");
        let folder = Folder::new(&[
            ("web.yaml", ingress("web", HOST, "/", "web")),
            ("service.yaml", service("web")),
            ("slice.yaml", slice("web", upstream.address, true)),
        ]);
        Shop { folder, _upstream: upstream }
    }

    /// A process that load balancers and operators can ask.
    fn gate(&self, more: &[&str]) -> Gate {
        let control = self.control();
        let flags = ["--health", "127.0.0.1:0", "--control", control.to_str().unwrap()];
        Gate::start(&self.folder, &[&flags, more].concat())
    }

    fn control(&self) -> std::path::PathBuf {
        self.folder.beside("control")
    }
}

/// Where load balancers ask.
fn health(gate: &Gate) -> SocketAddr {
    let log = gate.log();
    let (_, rest) = log.split_once("load balancers are answered at http://").expect("its line in the log");
    rest.split_once("/ready").unwrap().0.parse().unwrap()
}

fn is_healthy(health: SocketAddr) -> bool {
    Client::connect(health).get("balancer", "/ready").status == 200
}

fn is_lame(gate: &Gate) {
    eventually("a lame duck", || (gate.json("/state")["phase"] == "lame duck").then_some(()));
}

fn serves(gate: &Gate) {
    eventually("a process that serves", || (gate.json("/state")["phase"] == "serving").then_some(()));
}

#[test]
fn sigterm_fails_the_health_check_at_once_and_goes_on_accepting_until_balancers_have_noticed() {
    let shop = Shop::open();
    let mut gate = shop.gate(&["--lame-duck-time", "3s"]);
    let health = health(&gate);
    assert!(is_healthy(health));
    let mut idle = gate.client();
    assert!(!idle.get(HOST, "/").closes());
    gate.signal(Signal::TERM);
    let asked = Instant::now();
    is_lame(&gate);
    assert!(!is_healthy(health));
    assert_eq!(gate.json("/state")["reasons"][0], "SIGTERM");
    while asked.elapsed() < LAME - Duration::from_millis(500) {
        let answer = gate.client().get(HOST, "/");
        assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
        assert!(!is_healthy(health));
    }
    let answer = idle.get(HOST, "/");
    assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
    idle.wait_until_closed();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    assert!(asked.elapsed() >= LAME);
    let late = std::net::TcpStream::connect(gate.http);
    assert!(late.is_err(), "the listener is closed by now");
}

#[test]
fn without_a_health_listener_there_is_nothing_to_wait_for_and_a_drained_process_ends_at_once() {
    let shop = Shop::open();
    let mut gate = Gate::start(&shop.folder, &[]);
    let asked = Instant::now();
    gate.signal(Signal::TERM);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    // Far less than the time that it would be a lame duck with a health listener.
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

fn newcomer_is_served(gate: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(gate)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

#[test]
fn a_balancer_that_still_sends_new_clients_is_waited_for_but_not_for_ever() {
    let shop = Shop::open();
    let mut gate = shop.gate(&["--lame-duck-time", "4s"]);
    gate.signal(Signal::TERM);
    let asked = Instant::now();
    // A client that connects just after it has ended is refused.
    while !gate.log().contains("draining;") && newcomer_is_served(gate.http).unwrap_or(false) {}
    let lame = asked.elapsed();
    assert!((Duration::from_millis(7800)..Duration::from_secs(30)).contains(&lame), "{lame:?}");
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_second_signal_ends_a_lame_duck_at_once() {
    let shop = Shop::open();
    let mut gate = shop.gate(&["--lame-duck-time", "1h"]);
    gate.signal(Signal::TERM);
    is_lame(&gate);
    gate.signal(Signal::TERM);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_lame_duck_hands_over_to_a_successor_that_comes_after_all() {
    let shop = Shop::open();
    let path = shop.folder.beside("handover");
    let handover = ["--handover", path.to_str().unwrap(), "--guard-time", "0s"];
    let mut first = shop.gate(&[&["--lame-duck-time", "1h"], &handover[..]].concat());
    let health = health(&first);
    first.signal(Signal::TERM);
    is_lame(&first);
    assert!(!is_healthy(health));
    let second = shop.gate(&handover);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    assert_eq!(self::health(&second), health);
    assert!(is_healthy(health));
    assert_eq!(second.client().get(HOST, "/").status, 200);
}
