//! The example, as a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use test_support::Process;

use super::PATIENCE;
use super::client::Client;

/// Killed when the test ends.
pub(crate) struct Service {
    process: Process,
    /// How much of what it has printed was asked for.
    read: usize,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts it on a free port, with these times in seconds, and waits until it serves.
    pub(crate) fn start(delay: &str, longest: &str) -> Service {
        let mut command = Command::new(program());
        command.args(["127.0.0.1:0", delay, longest]).stdin(Stdio::null());
        let process = Process::start_printing(&mut command).unwrap().patient_for(PATIENCE);
        let mut service = Service { process, read: 0, address: SocketAddr::from(([0; 4], 0)) };
        let line = service.prints("serving on http://");
        service.address = line["serving on http://".len()..].parse().unwrap();
        service
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Waits until it prints a line that begins so, after those that were asked for before.
    pub(crate) fn prints(&mut self, start: &str) -> String {
        let from = self.read;
        let next = |printed: &str| {
            let mut end = from;
            printed[from..].lines().find_map(|line| {
                end += line.len() + 1;
                line.starts_with(start).then(|| (line.to_owned(), end))
            })
        };
        let (line, end) = self.process.wait_for(start, next).unwrap_or_else(|error| panic!("{error}"));
        self.read = end;
        line
    }

    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn exit_code(mut self) -> i32 {
        self.process.ended().unwrap().code().expect("an exit code, no signal")
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
