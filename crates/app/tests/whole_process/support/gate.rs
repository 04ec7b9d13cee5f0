//! The program itself, as a process of its own.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use test_support::Process;
use test_support::process::listening;

use super::{Client, Folder, PATIENCE, eventually};

/// What an API server that is back tells is live by then: the longest wait between two tries is a second.
const SOON: Duration = Duration::from_secs(2);

/// The program with these arguments, and without the settings in the environment of the tests.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SLUICEGATE_"))
    {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs a process that ends by itself; killed if it does not.
pub(crate) fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (pid, (ended, end)) = (Pid::from_child(&child), mpsc::channel());
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    end.recv_timeout(PATIENCE)
        .unwrap_or_else(|_| {
            let _ = kill_process(pid, Signal::KILL);
            panic!("{command:?} does not end")
        })
        .unwrap()
}

/// `sluicegate run`; killed when the test ends.
pub(crate) struct Gate {
    process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Gate {
    /// Starts on free ports and waits until it is ready.
    pub(crate) fn start(folder: &Folder, more: &[&str]) -> Gate {
        Gate::bound(folder, more).ready()
    }

    /// Waits until it is ready.
    pub(crate) fn ready(self) -> Gate {
        eventually("readiness", || self.page("/ready").0 == 200);
        self
    }

    /// Starts on free ports and waits until they are bound.
    pub(crate) fn bound(folder: &Folder, more: &[&str]) -> Gate {
        Gate::run(Command::arg(&mut program(&["run", "--manifests"]), folder.path()).args(more))
    }

    /// Starts `sluicegate run` with these arguments on free ports and waits until they are bound.
    pub(crate) fn run(command: &mut Command) -> Gate {
        command.args(["--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--access-log", "off"]);
        let mut process = Process::start(command).unwrap();
        let listening = |key| process.listening(key).unwrap_or_else(|error| panic!("{error}"));
        let [http, admin] = ["http=", "admin="].map(listening);
        Gate { process, http, admin }
    }

    /// Where HTTPS is served, with `--https`.
    pub(crate) fn https(&self) -> SocketAddr {
        eventually("the line with the address", || listening(&self.log(), "https="))
    }

    /// A metric with these labels, as `name{label="value"}`; nothing where there is none.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, metrics) = self.page("/metrics");
        metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// All that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.said()
    }

    /// A page of the admin listener.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        let answer = Client::connect(self.admin).get("admin", path);
        (answer.status, answer.body)
    }

    /// A page of the admin listener that is JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).1).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.http)
    }

    /// Waits until a host is answered so; the body counts only with 200.
    pub(crate) fn answers(&self, host: &str, status: u16, body: &str) {
        eventually(&format!("{host}: {status} {body}"), || self.gives(host, status, body).then_some(()));
    }

    /// The same, for what has to be live soon after `since`.
    pub(crate) fn answers_soon(&self, host: &str, body: &str, since: Instant) {
        self.answers(host, 200, body);
        let took = since.elapsed();
        assert!(took < SOON, "{host}: {body} only after {took:?}\n{}", self.log());
    }

    /// Whether a host is answered so now.
    pub(crate) fn gives(&self, host: &str, status: u16, body: &str) -> bool {
        let answer = self.client().get(host, "/");
        answer.status == status && (status != 200 || answer.body == body)
    }

    /// Waits until a problem with this reason, and this in its message, is told.
    pub(crate) fn tells(&self, reason: &str, what: &str) {
        eventually(&format!("{reason}: {what}"), || self.has_problem(reason, what).then_some(()));
    }

    /// Waits until no such problem is told any more.
    pub(crate) fn tells_no_more(&self, reason: &str, what: &str) {
        eventually(&format!("no {reason}: {what}"), || (!self.has_problem(reason, what)).then_some(()));
    }

    /// Whether such a problem is told now.
    pub(crate) fn has_problem(&self, reason: &str, what: &str) -> bool {
        let problems = self.json("/problems");
        let all = problems.as_array().or_else(|| problems["problems"].as_array()).expect("problems");
        all.iter().any(|problem| problem["reason"] == reason && problem.to_string().contains(what))
    }

    /// Whether it is ready now.
    pub(crate) fn is_ready(&self) -> bool {
        self.page("/ready").0 == 200
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Stops it in its tracks until [`Signal::CONT`]. When this returns, each of its threads stands still.
    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    /// Asks for a drain and waits until it has begun.
    pub(crate) fn drain(&self) {
        self.signal(Signal::TERM);
        eventually("the drain", || self.page("/ready").1.contains("\"drain\"").then_some(()));
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        !self.process.has_ended()
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let status = self.process.ended().unwrap_or_else(|error| panic!("{error}"));
        status.code().expect("an exit code, no signal")
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("its log:\n{}", self.log());
        }
    }
}
