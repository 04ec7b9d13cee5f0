//! What a load balancer and the clients of a predecessor see of a rollout: nothing.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{HOST, Shop, has_handed_over, kept};
use crate::support::{Client, Gate, Upstream, eventually, pod_address, slice};

/// How often it is asked: far more often than any load balancer does.
const EVERY: Duration = Duration::from_millis(10);
/// A load balancer counts a check that takes longer as failed; most wait five seconds or more.
const CHECK_TIME_MAX: Duration = Duration::from_secs(5);
const HEALTH: [&str; 2] = ["--health", "127.0.0.1:0"];

fn health(gate: &Gate) -> SocketAddr {
    let log = gate.log();
    let (_, rest) = log.split_once("load balancers are answered at http://").expect("its line in the log");
    rest.split_once("/ready").unwrap().0.parse().unwrap()
}

/// Checks until it is told to stop; returns how often, and what failed.
fn check(health: SocketAddr, stop: &AtomicBool) -> (usize, Vec<String>) {
    let (mut checks, mut failures) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let status = Client::connect(health).get("balancer", "/ready").status;
        let took = asked.elapsed();
        if status != 200 || took > CHECK_TIME_MAX {
            failures.push(format!("check {checks}: {status} after {took:?}"));
        }
        checks += 1;
        std::thread::sleep(EVERY);
    }
    (checks, failures)
}

#[test]
fn no_health_check_fails_through_ten_handovers() {
    let shop = Shop::open();
    let mut last = shop.process_with(&HEALTH);
    let (address, stop) = (health(&last), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&stop);
    let checks = std::thread::spawn(move || check(address, &told));
    let mut former = Vec::new();
    for _ in 0..10 {
        // Some still drain, some are gone.
        let idle = (former.len() % 2 == 0).then(|| kept(&last));
        let next = shop.process_with(&HEALTH);
        assert_eq!(health(&next), address);
        has_handed_over(&last);
        former.push((std::mem::replace(&mut last, next), idle));
    }
    stop.store(true, Ordering::Relaxed);
    let (checks, failures) = checks.join().expect("no check is refused or reset");
    assert_eq!(failures, Vec::<String>::new(), "of {checks}");
    assert!(checks > 10, "{checks}");
}

/// A page of a process that answers nowhere else any more.
fn page(control: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(control).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn endpoints_stay_fresh_for_the_clients_of_a_process_that_has_handed_over() {
    let shop = Shop::open();
    let control = shop.folder.beside("control");
    let mut first = shop.process_with(&["--control", control.to_str().unwrap()]);
    let (mut held, mut idle) = (kept(&first), kept(&first));
    held.send(HOST, "/held");
    shop.upstream.wait_until_one_is_held();
    let _second = shop.process();
    has_handed_over(&first);
    let other = Upstream::at(pod_address(), "two");
    shop.folder.write("endpointslices.yaml", &slice("web", other.address, true));
    let fresh = format!("\"{}\"", other.address);
    eventually("the new endpoint", || page(&control, "/endpoints").contains(&fresh).then_some(()));
    let answer = idle.get(HOST, "/");
    assert_eq!((answer.status, &*answer.body, answer.closes()), (200, "two", true), "{answer:?}");
    idle.wait_until_closed();
    shop.upstream.release();
    assert_eq!(held.answer().body, "one");
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}
