//! What is left of a control plane when its holder is done with it, and when its holder is killed: nothing.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::{Binaries, ControlPlane};

/// Set for the process that is to hold one until it is killed.
const HOLDER: &str = "CONTROL_PLANE_HOLDER";

/// What a holder writes before each thing that its killer must know.
const MARK: &str = "holds ";

/// A killed server is gone in milliseconds; the watchdog is a shell that has to be scheduled.
const LIMIT: Duration = Duration::from_secs(30);

fn plane() -> ControlPlane {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    ControlPlane::start(&binaries).unwrap_or_else(|why| panic!("{why}"))
}

/// What must not be there any more: the folder, and each process by its entry in /proc.
fn traces(plane: &ControlPlane) -> Vec<PathBuf> {
    let folder = plane.kubeconfig().parent().expect("it lies in a folder").to_owned();
    let servers = [plane.etcd(), plane.apiserver(), plane.controllers()];
    let ids = servers.map(|server| server.id().expect("it runs"));
    [folder].into_iter().chain(ids.map(|id| format!("/proc/{id}").into())).collect()
}

/// A process that has ended but was not asked for its status by the process that inherited it counts as gone.
fn is_there(trace: &Path) -> bool {
    let stat = std::fs::read_to_string(trace.join("stat"));
    trace.exists() && !stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn nothing_is_left_after_a_drop() {
    let plane = plane();
    let traces = traces(&plane);
    assert!(traces.iter().all(|trace| is_there(trace)), "{traces:?}");
    plane.apiserver().pause().unwrap();
    drop(plane);
    let left: Vec<_> = traces.iter().filter(|trace| is_there(trace)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn nothing_is_left_when_the_holder_is_killed() {
    let mut holder = Command::new(env::current_exe().unwrap());
    holder.args(["--exact", "a_holder_stays_until_it_is_killed", "--nocapture"]).env(HOLDER, "yes");
    let mut holder = holder.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let traces = lines.filter_map(|line| line.strip_prefix(MARK).map(PathBuf::from));
    let traces: Vec<_> = traces.take(4).collect();
    assert_eq!(traces.len(), 4, "the holder ended by itself");
    assert!(traces.iter().all(|trace| is_there(trace)), "{traces:?}");

    holder.kill().unwrap();
    holder.wait().unwrap();
    let deadline = Instant::now() + LIMIT;
    while let Some(left) = traces.iter().find(|trace| is_there(trace)) {
        assert!(Instant::now() < deadline, "{} is still there", left.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Only in the process that the test above starts; else there is nothing to hold.
#[test]
fn a_holder_stays_until_it_is_killed() {
    if env::var_os(HOLDER).is_none() {
        return;
    }
    let plane = plane();
    // The harness has begun a line of its own.
    println!();
    traces(&plane).iter().for_each(|trace| println!("{MARK}{}", trace.display()));
    loop {
        std::thread::park();
    }
}
