//! Starts processes, waits until they answer, and stops them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal};

/// How long a process may take to start or to stop. Under an instrument such as callgrind that is some ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(10);

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

    /// Waits until sluicegate says where it listens: from the lines that have `listening`, the address that follows `key`,
    /// such as `http=`.
    pub(crate) fn listening(&mut self, key: &str) -> Result<SocketAddr> {
        self.wait_for(&format!("line that says {key}"), |said| address(said, key))
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

/// A line that is not complete yet is not read.
fn address(said: &str, key: &str) -> Option<SocketAddr> {
    let (complete, _) = said.rsplit_once('\n')?;
    let lines = complete.lines().filter(|line| line.contains(" listening "));
    let word = lines.flat_map(str::split_whitespace).find_map(|word| word.strip_prefix(key))?;
    word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).parse().ok()
}

/// The host that all requests are for.
pub(crate) const HOST: &str = "bench.example";

fn answers_200(address: SocketAddr, path: &str) -> bool {
    // The connection may go on: what follows the status is left there.
    const WANTED: &[u8] = b"HTTP/1.1 200 ";
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut begin = [0; WANTED.len()];
        stream.read_exact(&mut begin)?;
        Ok(begin == WANTED)
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_whichever_line_says_listening_once_it_is_whole() {
        let said = "INFO build: listening https=127.0.0.1:43\nINFO build: listening http=127.0.0.1:41 admin=127.0.0.1:42";
        assert_eq!(address(said, "http="), None);
        let said = format!("INFO starting\n{said}\n");
        for (key, port) in [("http=", 41), ("https=", 43), ("admin=", 42)] {
            assert_eq!(address(&said, key), Some(SocketAddr::from(([127, 0, 0, 1], port))));
        }
    }
}
