//! What the death of a successor costs: only what was inside, at whatever moment it is killed.

use std::time::{Duration, Instant};

use super::super::{HOST, Shop, kept};
use super::serves_again;
use crate::support::{Gate, Survivors, eventually};

/// Kills it and returns when that began and when it was over.
fn kill(gate: Gate) -> (Instant, Instant) {
    let before = Instant::now();
    drop(gate);
    (before, Instant::now())
}

/// A successor is killed some time after it has taken over; again and again.
fn killed_after(times: &[Duration]) {
    let shop = Shop::open();
    let first = shop.process();
    // A client for which it still drains.
    let mut idle = kept(&first);
    let survivors = Survivors::start(&first, HOST);
    let mut kills = Vec::new();
    for (place, time) in times.iter().enumerate() {
        let next = shop.process();
        eventually("the handover", || {
            (first.log().matches("handed over to process").count() > place).then_some(())
        });
        std::thread::sleep(*time);
        kills.push(kill(next));
        serves_again(&first, place + 1);
        survivors.go_on();
    }
    let (answers, losses) = survivors.end();
    println!("{times:?}: {answers} answers, {} lost", losses.len());
    for loss in &losses {
        let excused = kills.iter().any(|(before, after)| loss.is_due_to(*before, *after));
        assert!(excused, "{loss:?}, of {}\n{}", losses.len(), first.log());
    }
    // A client that was connected all the time is told nothing.
    let answer = idle.get(HOST, "/");
    assert_eq!((answer.status, answer.closes()), (200, false), "{answer:?}");
}

#[test]
fn a_successor_killed_at_once_costs_only_what_was_inside() {
    killed_after(&[Duration::ZERO]);
}

#[test]
fn a_successor_killed_after_a_while_costs_only_what_was_inside() {
    killed_after(&[Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1)]);
}

#[test]
fn a_successor_killed_after_some_seconds_costs_only_what_was_inside() {
    killed_after(&[Duration::from_secs(3)]);
}

#[test]
fn five_successors_killed_one_after_the_other_cost_only_what_was_inside() {
    killed_after(&[Duration::from_millis(50); 5]);
}
