//! What can go wrong between a test and its control plane.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many lines of a log an error shows: the end tells why a server died, and Go's own traces are long.
const TAIL_LINES: usize = 30;

/// A control plane that did not start, or a fault that could not be injected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was tried, with its object.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A server ended while it was waited for.
    #[error("{name} ended before it was ready; {log}")]
    Ended {
        /// The server.
        name: &'static str,
        /// Where its log is and how it ends.
        log: Tail,
    },
    /// A server runs, but does not answer as it should.
    #[error("{name} was not ready within {limit:?}; {log}")]
    NotReady {
        /// The server.
        name: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// Where its log is and how it ends.
        log: Tail,
    },
    /// A server that was killed or has died cannot be paused.
    #[error("{name} does not run; start() it first")]
    NotRunning {
        /// The server.
        name: &'static str,
    },
    /// etcd refused a request.
    #[error("etcd refused {path}: {answer}")]
    Etcd {
        /// The request.
        path: &'static str,
        /// Status line and body.
        answer: String,
    },
    /// The API server refused what a helper sent by kubectl.
    #[error("`{command}` failed: {stderr}")]
    Kubectl {
        /// The command as one would type it.
        command: String,
        /// What it said.
        stderr: String,
    },
}

impl Error {
    /// For `map_err`: names what was being done when the system refused.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// The end of a server's log, read when the error is made: the log itself goes with the control plane.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    lines: String,
}

impl Tail {
    /// Reads it now.
    pub fn of(path: &Path) -> Self {
        let log = std::fs::read(path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let end = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        Self { path: path.to_owned(), lines: end.join("\n") }
    }
}

impl std::fmt::Display for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its log {} ends with:\n{}", self.path.display(), self.lines)
    }
}
