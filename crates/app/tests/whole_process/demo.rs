//! `sluicegate demo`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{output, program};

/// The number that follows `name` in the totals.
fn number(totals: &str, name: &str) -> u64 {
    let rest = totals.split(name).nth(1).unwrap_or_else(|| panic!("{name} is not in {totals}"));
    rest.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn the_demo_loses_no_request_while_everything_changes() {
    let output = output(&mut program(&["demo", "--duration", "3s"]));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    let (_, totals) = shown.split_once("drained").expect("totals");
    assert_eq!(number(totals, "dropped:"), 0, "{shown}");
    assert!(number(totals, "changes applied:") >= 10, "{shown}");
    assert!(number(totals, "totals:") >= 100, "{shown}");
}

#[test]
fn ctrl_c_drains_the_demo_and_prints_the_totals() {
    let mut child = program(&["demo"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The live line: by then all runs.
    assert!(lines.by_ref().any(|line| line.unwrap().contains("requests/s")));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    lines.for_each(|line| rest.push_str(&line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("totals: ") && rest.contains("dropped: 0"), "{rest}");
}
