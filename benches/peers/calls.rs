//! System calls for each request, counted by strace. It slows a proxy down many times over, which therefore does more at
//! each wakeup: how often it waits is less here than it is without.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Clients, Load, Until};
use crate::measure::family;

/// Requests that are counted.
const REQUESTS: u64 = 5_000;
/// How long strace may take to come and to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often each system call was made, for one request.
pub(crate) struct Calls(pub(crate) BTreeMap<String, f64>);

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} system calls", self.0.values().sum::<f64>())
    }
}

/// Loads a proxy with a fixed number of requests and counts.
///
/// # Errors
/// If there is no strace, or it may not look at other processes.
pub(crate) fn measure(proxy: u32, load: Load<'_>) -> Result<Calls> {
    let mut clients = Clients::open(load)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("calls");
    let mut strace = start(proxy, &file)?;
    let done = clients.closed_loop(Until::Answers(REQUESTS));
    let _ = kill_process(Pid::from_child(&strace), Signal::INT);
    strace.wait()?;
    let table = std::fs::read_to_string(file)?;
    let answers = done?.answers as f64;
    let calls: BTreeMap<String, f64> = table
        .lines()
        .filter_map(line)
        .map(|(name, count)| (name.to_owned(), count as f64 / answers))
        .collect();
    ensure!(!calls.is_empty(), "strace has seen nothing:\n{table}");
    Ok(Calls(calls))
}

/// Starts strace and waits until it has every thread: what is said of it is in `/proc`.
fn start(proxy: u32, file: &Path) -> Result<Child> {
    let family: Vec<u32> = family(proxy)?.iter().map(|stat| stat.id).collect();
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(file);
    for id in &family {
        command.arg("-p").arg(id.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut strace = command.spawn().context("could not start strace")?;
    let deadline = Instant::now() + PATIENCE;
    while !family.iter().all(|id| is_traced(*id)) {
        ensure!(strace.try_wait()?.is_none(), "strace may not look at other processes here");
        ensure!(Instant::now() < deadline, "strace does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(strace)
}

fn is_traced(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|id| id.trim() != "0"))
    })
}

/// A line of the table: per cent, seconds, µs a call, calls, perhaps errors, name.
fn line(line: &str) -> Option<(&str, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = *words.last()?;
    let counts = (5..=6).contains(&words.len()) && name != "total" && words[0].parse::<f64>().is_ok();
    if counts { Some((name, words[3].parse().ok()?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_errors_and_without() {
        let table = "% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 48.27    0.002118           1      1507           writev
 20.01    0.000878           0      1204       102 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.004388           1      2711       102 total";
        assert_eq!(
            table.lines().filter_map(line).collect::<Vec<_>>(),
            [("writev", 1507), ("recvfrom", 1204)]
        );
    }
}
