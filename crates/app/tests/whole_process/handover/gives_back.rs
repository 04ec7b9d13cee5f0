//! A successor that dies after it has taken over: its predecessor, which still drains, serves again.

mod cost;

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::stay::STAY;
use super::{HOST, Shop, has_handed_over, kept, logs};
use crate::support::{Client, Gate, Survivors, Visitors, eventually, output, program};

/// Waits until it has taken back for the `time`th time.
pub(super) fn serves_again(gate: &Gate, time: usize) {
    let says = "takes the listeners back and serves";
    eventually(says, || (gate.log().matches(says).count() >= time).then_some(()));
}

#[test]
fn a_process_that_is_drained_guards_its_successor_for_a_while() {
    let shop = Shop::open();
    let mut first = shop.process_that_guards("1h", &[]);
    let second = shop.process();
    has_handed_over(&first);
    drop(second);
    serves_again(&first, 1);
    let survivors = Survivors::start(&first, HOST);
    let second = shop.process();
    eventually("another handover", || first.log().matches("handed over to").nth(1).map(drop));
    survivors.go_on();
    assert!(first.runs(), "{}", first.log());
    // It may be told that this is enough.
    first.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    let (_, losses) = survivors.end();
    assert!(losses.is_empty(), "{losses:?}");
    drop(second);
}

#[test]
fn a_process_that_has_guarded_its_successor_for_long_enough_ends() {
    let shop = Shop::open();
    let mut first = shop.process_that_guards("1s", &[]);
    let handed_over = Instant::now();
    let second = shop.process();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    assert!(handed_over.elapsed() >= Duration::from_secs(1));
    assert_eq!(second.client().get(HOST, "/").status, 200);
}

/// Clients that have connected and sent their request, and are not accepted yet.
fn queue(gate: &Gate, length: usize) -> Vec<Client> {
    let mut queued: Vec<Client> = (0..length).map(|_| gate.client()).collect();
    queued.iter_mut().for_each(|client| client.send(HOST, "/"));
    queued
}

#[test]
fn a_client_that_waits_to_be_accepted_by_a_successor_that_dies_is_answered_by_its_predecessor() {
    let shop = Shop::open();
    let first = shop.process_with(&STAY);
    let second = shop.process();
    has_handed_over(&first);
    logs(&first, "drained; staying");
    second.pause();
    let queued = queue(&second, 100);
    let mut probe = Client::connect(second.admin);
    probe.send("probe", "/ready");
    drop(second);
    for (place, mut client) in queued.into_iter().enumerate() {
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (200, false), "client {place}");
    }
    assert_eq!(probe.answer().status, 200);
}

#[test]
fn a_successor_that_stands_still_is_waited_for() {
    let shop = Shop::open();
    let first = shop.process_with(&STAY);
    let second = shop.process();
    has_handed_over(&first);
    second.pause();
    let queued = queue(&second, 10);
    // Enough for the predecessor to take back what it should not.
    std::thread::sleep(Duration::from_millis(500));
    assert!(!first.log().contains("takes the listeners back"), "{}", first.log());
    second.signal(Signal::CONT);
    queued.into_iter().for_each(|mut client| assert_eq!(client.answer().status, 200));
}

#[test]
fn a_process_that_has_taken_back_is_as_it_was_before_the_handover() {
    let shop = Shop::open();
    let health = ["--health", "127.0.0.1:0"];
    let mut first = shop.process_with(&health);
    let mut told = kept(&first);
    let mut idle = kept(&first);
    let second = shop.process_with(&health);
    has_handed_over(&first);
    assert!(told.get(HOST, "/").closes());
    drop(second);
    serves_again(&first, 1);
    // The client that was told to leave leaves, and no other is told.
    told.wait_until_closed();
    assert!(!idle.get(HOST, "/").closes());
    assert!(!first.client().get(HOST, "/").closes());
    assert_eq!(first.json("/state")["phase"], "serving");
    assert!(first.is_ready());
    let log = first.log();
    let health = log.split("load balancers are answered at http://").nth(1).unwrap();
    let health = health.split("/ready").next().unwrap().parse().unwrap();
    assert_eq!(Client::connect(health).get("balancer", "/ready").status, 200);
    // It makes its path anew, and hands over again.
    fs::remove_file(shop.path()).unwrap();
    eventually("the path", || shop.path().exists().then_some(()));
    let visitors = Visitors::start(&first, HOST);
    let third = shop.process();
    assert_eq!((third.http, third.admin), (first.http, first.admin));
    eventually("another handover", || first.log().matches("handed over to").nth(1).map(drop));
    assert!(idle.get(HOST, "/").closes());
    idle.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
}

#[test]
fn a_lame_duck_takes_back_as_a_lame_duck() {
    let shop = Shop::open();
    let control = shop.folder.beside("control");
    let control = control.to_str().unwrap();
    let first = shop.process_with(&[&STAY[..], &["--control", control]].concat());
    let drain = |how: &str| output(&mut program(&["drain", how, "--control", control])).status.code();
    assert_eq!(drain("--wait=0s"), Some(0));
    let second = shop.process();
    has_handed_over(&first);
    drop(second);
    serves_again(&first, 1);
    assert_eq!(first.json("/state")["phase"], "lame duck");
    assert_eq!(drain("--undo"), Some(0));
    assert_eq!(first.json("/state")["phase"], "serving");
}

#[test]
fn a_process_that_was_told_to_leave_takes_nothing_back() {
    let shop = Shop::open();
    let mut first = shop.process();
    let mut held = first.client();
    held.send(HOST, "/held");
    shop.upstream.wait_until_one_is_held();
    let second = shop.process();
    has_handed_over(&first);
    first.signal(Signal::TERM);
    logs(&first, "draining since the handover");
    let address = second.http;
    drop(second);
    // Not silence: no process has the sockets any more, so that another one can be started.
    eventually("that it is refused", || std::net::TcpStream::connect(address).is_err().then_some(()));
    assert!(!first.log().contains("takes the listeners back"), "{}", first.log());
    shop.upstream.release();
    assert_eq!(held.answer().status, 200);
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}

#[test]
fn a_successor_that_leaves_is_not_one_that_dies() {
    let shop = Shop::open();
    let mut first = shop.process();
    let mut idle = kept(&first);
    let mut second = shop.process();
    has_handed_over(&first);
    second.signal(Signal::TERM);
    logs(&first, "serves no longer");
    assert_eq!(second.exit_code(), 0, "{}", second.log());
    let refused = std::net::TcpStream::connect(second.http).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(idle.get(HOST, "/").closes());
    idle.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}

#[test]
fn a_path_that_is_gone_when_the_successor_dies_is_there_again() {
    let shop = Shop::open();
    let first = shop.process_with(&STAY);
    let second = shop.process();
    has_handed_over(&first);
    second.pause();
    fs::remove_file(shop.path()).unwrap();
    drop(second);
    serves_again(&first, 1);
    let visitors = Visitors::start(&first, HOST);
    let third = shop.process();
    assert_eq!(third.http, first.http);
    visitors.end();
}

#[test]
fn a_predecessor_killed_when_it_has_just_taken_back_leaves_nothing_in_the_way() {
    let shop = Shop::open();
    let first = shop.process_with(&STAY);
    let second = shop.process();
    has_handed_over(&first);
    second.pause();
    first.pause();
    let address = second.http;
    drop(second);
    // It learns of it and is killed, in any order.
    first.signal(Signal::CONT);
    drop(first);
    let _third = shop.process_with(&["--http", &address.to_string()]);
    assert_eq!(Client::connect(address).get(HOST, "/").status, 200);
}

#[test]
fn a_process_that_prepares_when_the_one_that_serves_dies_takes_over_from_the_one_that_takes_back() {
    let shop = Shop::open();
    let first = shop.process_with(&STAY);
    let second = shop.process();
    has_handed_over(&first);
    let third = shop.waiting_successor();
    drop(second);
    serves_again(&first, 1);
    logs(&third, "it is the one to take over from");
    let visitors = Visitors::start(&first, HOST);
    visitors.go_on();
    shop.api.be_honest();
    eventually("another handover", || first.log().matches("handed over to").nth(1).map(drop));
    visitors.go_on();
    logs(&third, "is released and drains");
    visitors.end();
}

/// As in a pod: what a kubelet starts again must not fight with what serves.
#[test]
fn a_successor_that_is_started_again_takes_over_from_the_one_that_has_taken_back() {
    let shop = Shop::open();
    let pods = ["one", "two"].map(|name| shop.folder.beside(name));
    pods.iter().for_each(|own| fs::create_dir(own).unwrap());
    let pod = |place: usize| {
        let control = pods[place].join("control");
        shop.process_with(&[&STAY[..], &["--control", control.to_str().unwrap()]].concat())
    };
    let first = pod(0);
    let survivors = Survivors::start(&first, HOST);
    for time in 1..=3 {
        let second = pod(1);
        eventually("the handover", || first.log().matches("handed over to").nth(time - 1).map(drop));
        drop(second);
        serves_again(&first, time);
        let mark = pods[0].join("handed-over");
        eventually("that it would not stand by", || (!mark.exists()).then_some(()));
        survivors.go_on();
    }
    let second = pod(1);
    // What the log says of an earlier handover would not do.
    eventually("the last handover", || first.log().matches("handed over to").nth(3).map(drop));
    logs(&first, "drained; staying");
    first.signal(Signal::TERM);
    survivors.go_on();
    assert_eq!(second.json("/state")["phase"], "serving");
    survivors.end();
}
