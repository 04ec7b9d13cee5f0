//! The example, as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::client::Client;

/// Killed when the test ends.
pub(crate) struct Service {
    process: Child,
    printed: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts it on a free port, with these times in seconds, and waits until it serves.
    pub(crate) fn start(delay: &str, longest: &str) -> Service {
        let mut command = Command::new(program());
        command.args(["127.0.0.1:0", delay, longest]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, printed) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut service = Service { process, printed, address: SocketAddr::from(([0; 4], 0)) };
        let line = service.prints("serving on http://");
        service.address = line["serving on http://".len()..].parse().unwrap();
        service
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Waits until it prints a line that begins so.
    pub(crate) fn prints(&mut self, start: &str) -> String {
        loop {
            let line = self.printed.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no line {start:?}: {error}"));
            if line.starts_with(start) {
                return line;
            }
        }
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn exit_code(mut self) -> i32 {
        // The end of its output is the end of the process.
        while self.printed.recv_timeout(PATIENCE).is_ok() {}
        self.process.wait().unwrap().code().expect("an exit code, no signal")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cargo builds examples before it runs all tests of the crate, but not before it runs some of them.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).expect("deps/").join("examples/graceful_service");
    let current = fs::read_to_string(program.with_extension("d")).is_ok_and(|sources| {
        let built = fs::metadata(&program).and_then(|file| file.modified()).expect("cargo has built it");
        let changed =
            |source: &str| fs::metadata(source).and_then(|file| file.modified()).is_ok_and(|at| at > built);
        !sources.split_whitespace().any(changed)
    });
    assert!(current, "{} is not up to date: cargo build -p lifecycle --examples", program.display());
    program
}
