//! Starts processes on a core of their own, waits until they answer, and stops them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// How long a process may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(10);

/// Which core does what.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    /// The proxy's, which it shares with nobody.
    pub(crate) proxy: usize,
    /// The load's and the upstream's.
    pub(crate) rest: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    pub(crate) fn choose() -> Result<Cores> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let mut cores = (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (cores.next(), cores.next()) {
            (Some(proxy), Some(rest)) => Ok(Cores { proxy, rest }),
            _ => bail!("the benchmark needs two cores: one for the proxy, one for the load and the upstream"),
        }
    }
}

/// Lets this process and its children open as many files as the system allows.
pub(crate) fn raise_open_files() -> Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    Ok(rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// A program that will run on one core. Debian's folder for servers is not in everybody's `PATH`.
pub(crate) fn pinned(core: usize, program: impl AsRef<OsStr>) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("taskset");
    command
        .arg("-c")
        .arg(core.to_string())
        .arg(program)
        .env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A process that ends when this value does.
pub(crate) struct Process {
    child: Child,
    name: String,
    errors: PathBuf,
}

impl Process {
    /// Starts it. What it says on standard error is kept in `folder`.
    pub(crate) fn start(name: &str, mut command: Command, folder: &Path) -> Result<Process> {
        let errors = folder.join("stderr.log");
        command.stderr(File::create(&errors)?);
        let child = command.spawn().with_context(|| format!("could not start {name}"))?;
        Ok(Process { child, name: name.to_owned(), errors })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `look` finds what it looks for in what the process has said on standard error so far.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&self.errors)?;
            if let Some(found) = look(&said) {
                return Ok(found);
            }
            let ended = self.child.try_wait()?;
            ensure!(ended.is_none(), "{} ended before {what}. It said:\n{said}", self.name);
            ensure!(
                Instant::now() < deadline,
                "{}: no {what} after {PATIENCE:?}. It said:\n{said}",
                self.name
            );
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until a GET at this address is answered 200.
    pub(crate) fn wait_for_200(&mut self, address: SocketAddr, path: &str) -> Result<()> {
        self.wait_for(&format!("200 for {path} at {address}"), |_| answers_200(address, path).then_some(()))
    }
}

impl Drop for Process {
    /// Asks it to end, so that it takes its own children along; a process that does not is killed.
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        // It may have ended already, and a benchmark has nothing better to do about it.
        let _ = rustix::process::kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The host that all requests are for.
pub(crate) const HOST: &str = "bench.example";

fn answers_200(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    };
    ask().is_ok_and(|response| response.starts_with("HTTP/1.1 200 "))
}
