//! A process in a pod stays after it has handed over: its container would be started again, and take over again.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Gate, Visitors, eventually, output, program};

pub(super) const STAY: [&str; 2] = ["--after-handover", "stay"];
/// Enough for a process to end that wants to.
const A_WHILE: Duration = Duration::from_millis(500);

/// Drained, and still there a while later.
fn stays(gate: &mut Gate) {
    logs(gate, "drained; staying");
    std::thread::sleep(A_WHILE);
    assert!(gate.runs(), "{}", gate.log());
}

#[test]
fn after_a_handover_it_stays_until_sigterm() {
    let shop = Shop::open();
    let mut first = shop.process_with(&STAY);
    let second = shop.process_with(&STAY);
    has_handed_over(&first);
    stays(&mut first);
    first.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    assert_eq!(second.client().get(HOST, "/").status, 200);
}

#[test]
fn it_serves_again_when_its_successor_is_killed() {
    let shop = Shop::open();
    let mut first = shop.process_with(&STAY);
    let second = shop.process_with(&STAY);
    has_handed_over(&first);
    stays(&mut first);
    drop(second);
    let visitors = Visitors::start(&first, HOST);
    visitors.go_on();
    assert_eq!(first.json("/state")["phase"], "serving");
    // As a kubelet starts the other one again.
    let again = shop.process_with(&STAY);
    visitors.end();
    assert_eq!(again.client().get(HOST, "/").status, 200);
    stays(&mut first);
}

#[test]
fn it_leaves_when_its_successor_is_told_to_leave_and_takes_over_from_it_anew() {
    let shop = Shop::open();
    let mut first = shop.process_with(&STAY);
    let second = shop.process_with(&[&STAY[..], &["--lame-duck-time", "1h"]].concat());
    has_handed_over(&first);
    stays(&mut first);
    second.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    let again = shop.process_with(&STAY);
    assert_eq!(again.http, second.http);
    has_handed_over(&second);
    assert_eq!(again.client().get(HOST, "/").status, 200);
}

#[test]
fn it_stays_when_its_successor_hands_on_and_ends() {
    let shop = Shop::open();
    let mut first = shop.process_with(&STAY);
    let mut second = shop.process_with(&STAY);
    has_handed_over(&first);
    let third = shop.process_with(&STAY);
    has_handed_over(&second);
    stays(&mut second);
    second.signal(Signal::TERM);
    assert_eq!(second.exit_code(), 0, "{}", second.log());
    stays(&mut first);
    first.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    assert_eq!(third.client().get(HOST, "/").status, 200);
}

#[test]
fn a_rollout_of_three_that_all_stay_restarts_none() {
    let shop = Shop::open();
    let mut all = vec![shop.process_with(&STAY)];
    for _ in 0..2 {
        all.push(shop.process_with(&STAY));
        has_handed_over(&all[all.len() - 2]);
    }
    stays(&mut all[0]);
    stays(&mut all[1]);
    assert_eq!(all[2].json("/state")["phase"], "serving");
}

#[test]
fn killed_after_its_handover_and_started_again_it_stands_by_and_takes_nothing_back() {
    let shop = Shop::open();
    let control = shop.folder.beside("control");
    let in_a_pod = [&STAY[..], &["--control", control.to_str().unwrap()]].concat();
    let first = shop.process_with(&in_a_pod);
    let second = shop.process_with(&STAY);
    has_handed_over(&first);
    drop(first);
    // As a kubelet does, which may have sent SIGTERM already.
    let mut again = program(&["run", "--manifests"]);
    again.arg(shop.folder.path()).arg("--handover").arg(shop.path()).args(&in_a_pod);
    let mut again = again.args(["--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).spawn().unwrap();
    let probe = |what| output(program(&["probe", what, "--control"]).arg(&control)).status.code();
    eventually("it is live", || (probe("live") == Some(0)).then_some(()));
    assert_eq!(probe("ready"), Some(1), "so that its pod is replaced");
    std::thread::sleep(A_WHILE);
    assert_eq!(second.json("/state")["phase"], "serving");
    assert!(!second.log().contains("no handover"), "{}", second.log());
    // No other process serves any longer: it does.
    drop(second);
    eventually("it serves", || (probe("ready") == Some(0)).then_some(()));
    kill_process(Pid::from_child(&again), Signal::TERM).unwrap();
    assert!(again.wait().unwrap().success());
}

#[test]
fn in_a_pod_it_stays_and_elsewhere_it_ends() {
    let shop = Shop::open();
    let mut command = program(&["run", "--manifests"]);
    command.arg(shop.folder.path()).arg("--handover").arg(shop.path());
    // Which a kubelet gives to every container.
    let mut first = Gate::run(command.env("KUBERNETES_SERVICE_HOST", "10.96.0.1"));
    logs(&first, " serving");
    let mut second = shop.process();
    stays(&mut first);
    let _third = shop.process();
    assert_eq!(second.exit_code(), 0, "{}", second.log());
    stays(&mut first);
}
