//! A process on a bare host starts its own successor, from the file that it was started from.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Folder, Gate, Upstream, Visitors, eventually, ingress, output, program, service, slice,
};

const HOST: &str = "shop.example.com";

/// A shop whose process runs from a file of its own, which can be replaced.
struct Shop {
    folder: Folder,
    program: PathBuf,
    _upstream: Upstream,
}

/// The successor, which is not a child of the test.
struct Orphan(i32);

impl Drop for Orphan {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_raw(self.0).unwrap(), Signal::KILL);
    }
}

impl Shop {
    fn open() -> Shop {
        let upstream = Upstream::start("one");
        let folder = Folder::new(&[
            ("web.yaml", ingress("web", HOST, "/", "web")),
            ("service.yaml", service("web")),
            ("slice.yaml", slice("web", upstream.address, true)),
        ]);
        let program = folder.beside("sluicegate");
        fs::copy(env!("CARGO_BIN_EXE_sluicegate"), &program).unwrap();
        Shop { folder, program, _upstream: upstream }
    }

    /// A process that ends when it has handed over and is drained.
    fn gate(&self) -> Gate {
        self.gate_that_guards("0s")
    }

    fn gate_that_guards(&self, time: &str) -> Gate {
        let mut command = Command::new(&self.program);
        command.args(["run", "--manifests"]).arg(self.folder.path());
        command.arg("--handover").arg(self.folder.beside("handover"));
        command.arg("--control").arg(self.control()).args(["--guard-time", time]);
        Gate::run(&mut command).ready()
    }

    fn control(&self) -> PathBuf {
        self.folder.beside("control")
    }

    /// Puts another file in the place of the running one, as a package manager does.
    fn install(&self, script: &str) {
        let new = self.folder.beside("new");
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, &self.program).unwrap();
    }

    fn upgrade(&self) -> (Option<i32>, String) {
        let output = output(program(&["upgrade", "--control"]).arg(self.control()));
        let text = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
        (output.status.code(), text)
    }
}

/// Waits until another process than this one answers on its admin address, and serves.
fn successor(gate: &Gate, pid: i64) -> Orphan {
    let pid = eventually("a successor", || {
        let state = gate.json("/state");
        let now = state["pid"].as_i64().unwrap();
        (now != pid && state["phase"] == "serving").then_some(now)
    });
    Orphan(i32::try_from(pid).unwrap())
}

fn pid(gate: &Gate) -> i64 {
    gate.json("/state")["pid"].as_i64().unwrap()
}

#[test]
fn sigusr2_starts_the_file_that_is_there_now_and_no_visitor_notices() {
    let shop = Shop::open();
    let mut gate = shop.gate();
    let (visitors, first) = (Visitors::start(&gate, HOST), pid(&gate));
    visitors.go_on();
    // The file is another one by then; that it is the one that is started shows itself by what it leaves behind.
    let started = shop.folder.beside("started");
    let real = env!("CARGO_BIN_EXE_sluicegate");
    shop.install(&format!("#!/bin/sh\ntouch {}\nexec {real} \"$@\"\n", started.display()));
    gate.signal(Signal::USR2);
    let _successor = successor(&gate, first);
    assert!(started.exists());
    visitors.go_on();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    visitors.end();
}

#[test]
fn the_command_waits_until_the_successor_serves() {
    let shop = Shop::open();
    let mut gate = shop.gate();
    let first = pid(&gate);
    let (code, text) = shop.upgrade();
    assert_eq!(code, Some(0), "{text}\n{}", gate.log());
    let successor = successor(&gate, first);
    assert!(text.contains(&format!("process {} serves", successor.0)), "{text}");
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn an_upgrade_whose_process_falls_over_costs_only_what_was_inside_and_can_be_done_again() {
    let shop = Shop::open();
    let mut gate = shop.gate_that_guards("1h");
    let first = pid(&gate);
    assert_eq!(shop.upgrade().0, Some(0), "{}", gate.log());
    let second = successor(&gate, first);
    eventually("the handover", || gate.log().contains("handed over to process").then_some(()));
    drop(second);
    let visitors = Visitors::start(&gate, HOST);
    eventually("that it serves again", || (pid(&gate) == first).then_some(()));
    assert_eq!(gate.json("/state")["phase"], "serving");
    // The upgrade itself had been done.
    eventually("the end of the successor", || {
        gate.log().contains("which had taken over, has ended").then_some(())
    });
    assert!(!gate.log().contains("no upgrade"), "{}", gate.log());
    // The control socket, which the dead one had, is its own again.
    let (code, text) = shop.upgrade();
    assert_eq!(code, Some(0), "{text}\n{}", gate.log());
    let successor = successor(&gate, first);
    assert!(text.contains(&format!("process {} serves", successor.0)), "{text}");
    visitors.go_on();
    gate.signal(Signal::TERM);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    visitors.end();
}

#[test]
fn a_file_that_cannot_be_started_or_ends_at_once_costs_nothing_and_is_told() {
    let shop = Shop::open();
    let mut gate = shop.gate();
    let (visitors, first) = (Visitors::start(&gate, HOST), pid(&gate));
    shop.install("#!/bin/sh\nexit 7\n");
    let (code, text) = shop.upgrade();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("exit status: 7"), "{text}");
    fs::remove_file(&shop.program).unwrap();
    let (code, text) = shop.upgrade();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot be started"), "{text}");
    // Put right, it works.
    symlink(env!("CARGO_BIN_EXE_sluicegate"), &shop.program).unwrap();
    assert_eq!(shop.upgrade().0, Some(0), "{}", gate.log());
    let _successor = successor(&gate, first);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    visitors.end();
}

#[test]
fn without_a_handover_an_upgrade_is_refused_with_the_flag_that_it_needs() {
    let shop = Shop::open();
    let control = shop.control();
    let gate = Gate::start(&shop.folder, &["--control", control.to_str().unwrap()]);
    let (code, text) = shop.upgrade();
    assert_eq!(code, Some(1));
    assert!(text.contains("--handover"), "{text}");
    gate.signal(Signal::USR2);
    eventually("its word in the log", || gate.log().matches("without --handover").nth(1).map(drop));
    assert_eq!(gate.client().get(HOST, "/").status, 200);
}
