//! `sluicegate probe`, `drain` and `upgrade`: the client's side of a running process' control socket.

mod client;

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde::Deserialize;

use crate::FAILED;
use crate::cli::{ControlArgs, DrainArgs, Probe, ProbeArgs};
use client::ControlClient;

/// Between two looks at `/state`.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// From the start of a successor until it serves: it has to read its routes, and an API server may be down. The process
/// that waits for its confirmation gives up after the same time.
const UPGRADE_TIME_MAX: Duration = Duration::from_secs(600);

/// The part of `/state` that is read here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProcessState {
    pid: u32,
    phase: String,
    let_go: bool,
    connections: u64,
    requests: u64,
    upgrade_failed: Option<String>,
}

impl ProcessState {
    fn of(control: &ControlClient) -> anyhow::Result<ProcessState> {
        let (_, text) = control.ask("GET", "/state")?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// Exit codes: 0 yes, 1 no, or no process answers.
pub(crate) fn probe(args: &ProbeArgs) -> u8 {
    let path = match args.probe {
        Probe::Ready => "/ready",
        Probe::Live => "/live",
    };
    done(ControlClient::new(&args.control).ask("GET", path).and_then(|(status, text)| {
        print!("{text}");
        if status != 200 {
            bail!("the answer is {status}");
        }
        Ok(())
    }))
}

/// Exit codes: 0 all clients have left, or with `--undo` it serves again; 1 not.
pub(crate) fn drain(args: &DrainArgs) -> u8 {
    let control = ControlClient::new(&args.control);
    if args.undo {
        return done(command(&control, "/undrain"));
    }
    done(command(&control, "/drain").and_then(|()| wait_until_left(&control, args.wait.0)))
}

fn wait_until_left(control: &ControlClient, wait: Duration) -> anyhow::Result<()> {
    let (deadline, mut told) = (Instant::now() + wait, None);
    loop {
        let ProcessState { let_go, connections, requests, .. } = ProcessState::of(control)?;
        if let_go && connections == 0 {
            println!(
                "drained: no connections are left and load balancers send no more; stop it, or serve again (--undo)"
            );
            return Ok(());
        }
        let left = format!("{connections} connections, {requests} requests in flight");
        let now =
            if let_go { left } else { format!("load balancers may still send new connections; {left}") };
        if told.as_ref() != Some(&now) {
            println!("{now}");
            told = Some(now);
        }
        if Instant::now() > deadline {
            bail!(
                "not drained after {wait:?}; it stays a lame duck: wait longer (--wait), or serve again (--undo)"
            );
        }
        sleep(LOOK_EVERY);
    }
}

/// Exit codes: 0 the successor serves, 1 the old process does.
pub(crate) fn upgrade(args: &ControlArgs) -> u8 {
    let control = ControlClient::new(args);
    done(ProcessState::of(&control).and_then(|old| {
        command(&control, "/upgrade")?;
        wait_until_upgraded(&control, old.pid)
    }))
}

fn wait_until_upgraded(control: &ControlClient, old: u32) -> anyhow::Result<()> {
    let deadline = Instant::now() + UPGRADE_TIME_MAX;
    loop {
        // While the path changes hands, for a moment no process answers.
        match ProcessState::of(control) {
            Ok(now) if now.pid != old && now.phase == "serving" => {
                println!("process {} serves", now.pid);
                return Ok(());
            }
            Ok(ProcessState { upgrade_failed: Some(why), .. }) => bail!("{why}"),
            Err(error) if Instant::now() > deadline => return Err(error),
            _ if Instant::now() > deadline => {
                bail!(
                    "no successor serves after {UPGRADE_TIME_MAX:?}; see its log, and /ready for what it waits for"
                )
            }
            _ => sleep(LOOK_EVERY),
        }
    }
}

fn command(control: &ControlClient, path: &str) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Answer {
        Done(String),
        Error(String),
    }
    let (_, text) = control.ask("POST", path)?;
    match serde_json::from_str(&text)? {
        Answer::Done(what) => println!("{what}"),
        Answer::Error(why) => bail!("{why}"),
    }
    Ok(())
}

fn done(outcome: anyhow::Result<()>) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: {error:#}");
            FAILED
        }
    }
}
