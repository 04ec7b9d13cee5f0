//! Signals before, during and after a handover.

use rustix::process::Signal;

use super::{HOST, Shop, has_handed_over, kept, logs};
use crate::support::{Client, Gate, Visitors, eventually};

/// A process with a client whose request is held back.
fn with_a_held_request(shop: &Shop) -> (Gate, Client) {
    let first = shop.process();
    let mut held = first.client();
    held.send(HOST, "/held");
    shop.upstream.wait_until_one_is_held();
    (first, held)
}

#[test]
fn the_signal_that_follows_a_handover_changes_nothing() {
    let shop = Shop::open();
    let (mut first, mut held) = with_a_held_request(&shop);
    let _second = shop.process();
    has_handed_over(&first);
    first.signal(Signal::TERM);
    logs(&first, "draining since the handover");
    assert!(first.runs());
    shop.upstream.release();
    assert_eq!(held.answer().status, 200);
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}

#[test]
fn the_second_signal_after_a_handover_stops_at_once() {
    let shop = Shop::open();
    let (mut first, held) = with_a_held_request(&shop);
    let _second = shop.process();
    has_handed_over(&first);
    first.signal(Signal::TERM);
    logs(&first, "draining since the handover");
    first.signal(Signal::TERM);
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 3, "{}", first.log());
}

#[test]
fn a_process_that_drains_already_still_hands_over_and_the_next_signal_stops_it() {
    let shop = Shop::open();
    let (mut first, held) = with_a_held_request(&shop);
    first.drain();
    let second = shop.process();
    assert_eq!((second.http, second.admin), (first.http, first.admin));
    has_handed_over(&first);
    kept(&second);
    eventually("readiness", || second.is_ready().then_some(()));
    first.signal(Signal::INT);
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 3, "{}", first.log());
}

#[test]
fn a_successor_that_is_told_to_leave_before_it_serves_leaves_the_sockets_to_its_predecessor() {
    let shop = Shop::open();
    let first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let mut second = shop.waiting_successor();
    second.signal(Signal::TERM);
    assert_eq!(second.exit_code(), 0, "{}", second.log());
    logs(&first, "this process goes on serving");
    visitors.end();
}

#[test]
fn a_signal_to_the_predecessor_while_its_successor_waits_refuses_no_client() {
    let shop = Shop::open();
    let mut first = shop.process();
    let second = shop.waiting_successor();
    first.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    let mut queued = second.client();
    queued.send(HOST, "/");
    shop.api.be_honest();
    assert_eq!(queued.answer().status, 200);
}
