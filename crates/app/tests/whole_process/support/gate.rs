//! The program itself, as a process of its own.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::Value;

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
    child: Child,
    log: Arc<Mutex<String>>,
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
        eventually("readiness", || (self.page("/ready").0 == 200).then_some(()));
        self
    }

    /// Starts on free ports and waits until they are bound.
    pub(crate) fn bound(folder: &Folder, more: &[&str]) -> Gate {
        Gate::run(Command::arg(&mut program(&["run", "--manifests"]), folder.path()).args(more))
    }

    /// Starts `sluicegate run` with these arguments on free ports and waits until they are bound.
    pub(crate) fn run(command: &mut Command) -> Gate {
        command.args(["--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--access-log", "off"]);
        command.stderr(Stdio::piped());
        // A program that a test has just written is still open for writing in whatever another test is about to start.
        let mut child = eventually("a program that can be started", || match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            started => Some(started.unwrap()),
        });
        let (log, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let unbound = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut gate = Gate { child, log, http: unbound, admin: unbound };
        (gate.http, gate.admin) = eventually("the line with the addresses", || {
            assert_eq!(gate.child.try_wait().unwrap(), None, "{}", gate.log());
            let log = gate.log();
            let (http, admin) = log.split_once("listening http=")?.1.split_once(" admin=")?;
            // What was typed here comes last.
            let http = http.rsplit(',').next()?;
            Some((http.parse().unwrap(), admin.lines().next()?.parse().unwrap()))
        });
        gate
    }

    /// Where HTTPS is served, with `--https`.
    pub(crate) fn https(&self) -> SocketAddr {
        eventually("the line with the address", || {
            self.log().split_once("listening https=")?.1.split_whitespace().next()?.parse().ok()
        })
    }

    /// A metric with these labels, as `name{label="value"}`; nothing where there is none.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, metrics) = self.page("/metrics");
        metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// All that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
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
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Stops it in its tracks until [`Signal::CONT`]. When this returns, each of its threads stands still.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
        let (_, status) =
            waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{}", self.log());
    }

    /// Asks for a drain and waits until it has begun.
    pub(crate) fn drain(&self) {
        self.signal(Signal::TERM);
        eventually("the drain", || self.page("/ready").1.contains("\"drain\"").then_some(()));
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        let status = eventually("the end of the process", || {
            assert!(Instant::now() < deadline, "{}", self.log());
            self.child.try_wait().unwrap()
        });
        status.code().expect("an exit code, no signal")
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("its log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
