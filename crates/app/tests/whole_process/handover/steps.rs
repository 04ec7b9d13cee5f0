//! `kill -9` of either process just before each step of a handover, with a relay between them that holds it up.

use std::process::{Child, Stdio};

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Between, Client, Step, Visitors, program};

/// A process of which nothing is known; killed when it is dropped.
struct Unknown(Child);

impl Drop for Unknown {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Shop {
    /// A successor that may not come so far as to have addresses.
    fn successor(&self) -> Unknown {
        let mut command = program(&["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.arg("--manifests").arg(self.folder.path()).arg("--handover").arg(self.path());
        Unknown(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

/// A successor is killed just before a step, and costs nothing.
fn successor_killed_before(step: Step) {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let between = Between::hold(&shop.path(), step);
    let second = shop.successor();
    between.reached(step);
    visitors.go_on();
    drop(second);
    between.end();
    // A process that has not said hello may only have looked.
    if step == Step::Sockets {
        logs(&first, "this process goes on serving");
    }
    // The path was ours, or already the successor's.
    logs(&first, "is made anew");
    visitors.go_on();
    let third = shop.process();
    assert_eq!((third.http, third.admin), (first.http, first.admin));
    has_handed_over(&first);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
}

#[test]
fn a_successor_killed_before_it_is_greeted_costs_nothing() {
    successor_killed_before(Step::Hello);
}

#[test]
fn a_successor_killed_before_it_is_known_costs_nothing() {
    successor_killed_before(Step::HelloBack);
}

#[test]
fn a_successor_killed_before_it_has_the_sockets_costs_nothing() {
    successor_killed_before(Step::Sockets);
}

/// It has accepted no connection by then: those that a killed process has accepted are lost with it. So it stands still
/// from the moment that it has the path.
#[test]
fn a_successor_killed_before_it_has_confirmed_costs_only_what_it_has_accepted() {
    let shop = Shop::open();
    let first = shop.process();
    let between = Between::hold(&shop.path(), Step::Confirmed);
    let second = shop.successor();
    between.reached(Step::Confirmed);
    drop(second);
    let visitors = Visitors::start(&first, HOST);
    visitors.go_on();
    between.end();
    logs(&first, "is made anew");
    visitors.go_on();
    let _third = shop.process();
    has_handed_over(&first);
    visitors.end();
}

/// A predecessor is killed just before a step, while clients with their requests wait to be accepted.
fn predecessor_killed_before(step: Step) {
    let shop = Shop::open();
    let first = shop.process();
    // A client for which it stays, however far it comes.
    let mut stays = first.client();
    assert_eq!(stays.get(HOST, "/").status, 200);
    let between = Between::hold(&shop.path(), step);
    let second = shop.process();
    between.reached(step);
    // What it has accepted would be lost with it.
    first.pause();
    let mut queued: Vec<Client> = (0..50).map(|_| first.client()).collect();
    queued.iter_mut().for_each(|client| client.send(HOST, "/"));
    drop(first);
    between.end();
    for mut client in queued {
        assert_eq!(client.answer().status, 200);
    }
    let visitors = Visitors::start(&second, HOST);
    visitors.go_on();
    let third = shop.process();
    assert_eq!(third.http, second.http);
    has_handed_over(&second);
    visitors.end();
}

#[test]
fn a_predecessor_killed_before_it_knows_that_its_successor_serves_takes_no_client_with_it() {
    predecessor_killed_before(Step::Confirmed);
}

#[test]
fn a_predecessor_killed_before_it_has_said_that_it_accepts_no_more_takes_no_client_with_it() {
    predecessor_killed_before(Step::Released);
}
