//! A process that is killed, or hangs, at any step.

use rustix::process::Signal;

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Client, Visitors};

#[test]
fn a_successor_killed_before_it_serves_costs_nothing_and_the_next_one_takes_over() {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    for _ in 0..3 {
        let second = shop.waiting_successor();
        visitors.go_on();
        // Dropped, it is killed.
        drop(second);
        visitors.go_on();
    }
    logs(&first, "this process goes on serving");
    let _third = shop.process();
    has_handed_over(&first);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
}

#[test]
fn a_predecessor_killed_after_it_has_handed_over_takes_no_newcomer_with_it() {
    let shop = Shop::open();
    let first = shop.process();
    // A client for which it stays.
    let mut idle = first.client();
    assert_eq!(idle.get(HOST, "/").status, 200);
    let second = shop.process();
    has_handed_over(&first);
    let visitors = Visitors::start(&second, HOST);
    visitors.go_on();
    drop(first);
    visitors.go_on();
    let _third = shop.process();
    has_handed_over(&second);
    visitors.end();
}

#[test]
fn clients_queue_for_a_successor_whose_predecessor_died_before_it_was_ready() {
    let shop = Shop::open();
    let first = shop.process();
    let second = shop.waiting_successor();
    // It accepts no connections any more, but is not dead yet: the queue fills up.
    first.pause();
    let mut queued: Vec<Client> = (0..50).map(|_| first.client()).collect();
    queued.iter_mut().for_each(|client| client.send(HOST, "/"));
    drop(first);
    queued.extend((0..50).map(|_| second.client()));
    queued[50..].iter_mut().for_each(|client| client.send(HOST, "/"));
    // The probes must be answered, and truthfully.
    assert_eq!((second.page("/live").0, second.page("/ready").0), (200, 503));
    shop.api.be_honest();
    for mut client in queued {
        assert_eq!(client.answer().status, 200);
    }
    assert!(second.is_ready());
}

#[test]
fn a_predecessor_that_hangs_does_not_hold_up_its_successor_and_drains_once_it_wakes() {
    let shop = Shop::open();
    let mut first = shop.process();
    let second = shop.waiting_successor();
    first.pause();
    shop.api.be_honest();
    logs(&second, " serving");
    let visitors = Visitors::start(&second, HOST);
    visitors.go_on();
    first.signal(Signal::CONT);
    has_handed_over(&first);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
}
