//! What operators and kubelets ask of one process, at its control socket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::{HOST, Shop, health, is_healthy, is_lame, serves};
use crate::support::{eventually, output, program};

/// A command at the control socket of a shop's process.
fn command(shop: &Shop, words: &[&str]) -> Output {
    output(program(words).arg("--control").arg(shop.control()))
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

#[test]
fn drain_waits_until_no_client_is_left_and_undo_serves_again() {
    let shop = Shop::open();
    let gate = shop.gate(&["--lame-duck-time", "1s"]);
    let health = health(&gate);
    let mut client = gate.client();
    assert!(!client.get(HOST, "/").closes());
    let draining = {
        let mut drain = program(&["drain", "--control"]);
        drain.arg(shop.control()).stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    is_lame(&gate);
    assert!(!is_healthy(health));
    assert!(client.get(HOST, "/").closes());
    client.wait_until_closed();
    let drained = draining.wait_with_output().unwrap();
    assert_eq!(drained.status.code(), Some(0), "{}", text(&drained));
    assert!(text(&drained).contains("no connections are left"), "{}", text(&drained));
    // It stays, and goes on accepting: only a signal ends it.
    assert_eq!(gate.client().get(HOST, "/").status, 200);
    assert_eq!(command(&shop, &["drain", "--undo"]).status.code(), Some(0));
    serves(&gate);
    assert!(is_healthy(health));
    assert!(!gate.client().get(HOST, "/").closes());
}

#[test]
fn drain_tells_what_is_left_when_its_wait_ends() {
    let shop = Shop::open();
    let gate = shop.gate(&["--lame-duck-time", "0s"]);
    let mut idle = gate.client();
    idle.get(HOST, "/");
    let output = command(&shop, &["drain", "--wait", "1s"]);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.contains("1 connections") && text.contains("--undo"), "{text}");
}

#[test]
fn a_probe_asks_this_process_even_if_another_answers_on_its_addresses() {
    let shop = Shop::open();
    let gate = shop.gate(&[]);
    let probe = |what: &str| command(&shop, &["probe", what]).status.code();
    assert_eq!((probe("ready"), probe("live")), (Some(0), Some(0)));
    assert_eq!(command(&shop, &["drain", "--wait", "0s"]).status.code(), Some(1));
    assert_eq!((probe("ready"), probe("live")), (Some(1), Some(0)));
    drop(gate);
    let unanswered = command(&shop, &["probe", "live"]);
    assert_eq!(unanswered.status.code(), Some(1));
    assert!(text(&unanswered).contains("--control"), "{}", text(&unanswered));
}

#[test]
fn only_its_own_user_can_ask_and_a_killed_process_leaves_nothing_in_the_way() {
    let shop = Shop::open();
    let gate = shop.gate(&[]);
    assert_eq!(fs::metadata(shop.control()).unwrap().permissions().mode() & 0o777, 0o600);
    drop(gate);
    let again = shop.gate(&[]);
    let state = eventually("an answer", || {
        let output = command(&shop, &["probe", "ready"]);
        (output.status.code() == Some(0)).then_some(output)
    });
    assert!(text(&state).contains("true"), "{}", text(&state));
    drop(again);
}
