//! Programs as processes of their own, and what they say.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::wait::{LOOK, PATIENCE};

/// A process, which ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    said: Arc<Said>,
    patience: Duration,
    is_asked: bool,
}

/// All that it has said so far, line by line, and whether that is all that it will say.
#[derive(Debug, Default)]
struct Said {
    text: Mutex<(String, bool)>,
    more: Condvar,
}

/// A process has not said or done what was waited for.
#[derive(Debug)]
pub struct Silent {
    name: String,
    what: String,
    why: String,
    said: String,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Silent { name, what, why, said } = self;
        write!(f, "{name} {why}: {what}. It said:\n{said}")
    }
}

impl std::error::Error for Silent {}

impl Process {
    /// Starts a program of which standard error is read.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Process> {
        let mut child = spawn(command.stderr(Stdio::piped()))?;
        let heard = child.stderr.take();
        Ok(Process::hearing(command, child, heard))
    }

    /// Starts a program of which standard output is read.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_printing(command: &mut Command) -> io::Result<Process> {
        let mut child = spawn(command.stdout(Stdio::piped()))?;
        let heard = child.stdout.take();
        Ok(Process::hearing(command, child, heard))
    }

    fn hearing(command: &Command, child: Child, heard: Option<impl Read + Send + 'static>) -> Process {
        let said = Arc::<Said>::default();
        let heard = heard.expect("it is piped");
        let told = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(heard).lines().map_while(Result::ok) {
                let mut text = told.text();
                text.0.push_str(&line);
                text.0.push('\n');
                told.more.notify_all();
            }
            told.text().1 = true;
        });
        let name = command.get_program().to_string_lossy().into_owned();
        Process { child, name, said, patience: PATIENCE, is_asked: false }
    }

    /// Waits for longer, or less long, than [`PATIENCE`].
    #[must_use]
    pub fn patient_for(mut self, patience: Duration) -> Process {
        self.patience = patience;
        self
    }

    /// Is asked to end with SIGTERM when this value is dropped, and only killed if it does not: so it takes its own
    /// children along, or writes what it has counted.
    #[must_use]
    pub fn asked_to_end(mut self) -> Process {
        self.is_asked = true;
        self
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has said so far; lines that are complete.
    pub fn said(&self) -> String {
        self.said.text().0.clone()
    }

    /// Waits until `look` finds what it looks for in what the process has said so far.
    ///
    /// # Errors
    /// If it does not in time, or the process has ended before.
    pub fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&str) -> Option<T>) -> Result<T, Silent> {
        let deadline = Instant::now() + self.patience;
        loop {
            // What is read last may have been said long before the end.
            let has_ended = self.has_ended() && self.said.text().1;
            if let Some(found) = look(&self.said()) {
                return Ok(found);
            }
            if has_ended {
                return Err(self.silent(what, "has ended before"));
            }
            if Instant::now() >= deadline {
                return Err(self.silent(what, "is too late"));
            }
            let text = self.said.text();
            drop(self.said.more.wait_timeout(text, LOOK));
        }
    }

    /// Waits until sluicegate says where it listens: from the lines that have `listening`, the last address that follows
    /// `key`, such as `http=`.
    ///
    /// # Errors
    /// As [`wait_for`](Process::wait_for).
    pub fn listening(&mut self, key: &str) -> Result<SocketAddr, Silent> {
        self.wait_for(&format!("a line that says {key}"), |said| listening(said, key))
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of this process").is_some()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn ended(&mut self) -> Result<ExitStatus, Silent> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.silent("its end", "is too late"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it was waited for.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process that was not waited for");
    }

    /// Stops it in its tracks until [`Signal::CONT`]. When this returns, each of its threads stands still.
    ///
    /// # Panics
    /// If it ends.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let status = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED);
        let (_, status) = status.expect("a child of this process").expect("waited for");
        assert!(status.stopped(), "{}", self.said());
    }

    fn silent(&self, what: &str, why: &str) -> Silent {
        let (name, what, why) = (self.name.clone(), what.to_owned(), why.to_owned());
        Silent { name, what, why, said: self.said() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_asked {
            // It may have ended already; nothing better can be done about it here.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let _ = self.ended();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    fn text(&self) -> MutexGuard<'_, (String, bool)> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program that a test has just written is still open for writing in whatever another test is about to start.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                std::thread::sleep(LOOK);
            }
            started => return started,
        }
    }
}

/// Where sluicegate listens, from what it has said: the last address that follows `key` in the lines with `listening`, since
/// what was asked for last comes last. A line that is not complete yet is not read.
pub fn listening(said: &str, key: &str) -> Option<SocketAddr> {
    let (complete, _) = said.rsplit_once('\n')?;
    let lines = complete.lines().filter(|line| line.contains(" listening "));
    let word = lines.flat_map(str::split_whitespace).find_map(|word| word.strip_prefix(key))?;
    let last = word.rsplit(',').next()?;
    last.trim_matches(|c: char| !c.is_ascii_alphanumeric()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_whichever_line_says_listening_once_it_is_whole() {
        let said = "INFO build: listening https=127.0.0.1:43\nINFO build: listening http=127.0.0.1:40,127.0.0.1:41 admin=127.0.0.1:42";
        assert_eq!(listening(said, "http="), None);
        let said = format!("INFO starting\n{said}\n");
        for (key, port) in [("http=", 41), ("https=", 43), ("admin=", 42)] {
            assert_eq!(listening(&said, key), Some(SocketAddr::from(([127, 0, 0, 1], port))));
        }
    }
}
