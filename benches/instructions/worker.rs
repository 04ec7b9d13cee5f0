//! The thread of the gate that serves requests, and when it has nothing to do.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// What the only worker's thread is called.
const NAME: &str = "worker-0";
/// How long it may be busy with one request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks: a request takes a millisecond or two under callgrind.
const LOOK: Duration = Duration::from_micros(20);

/// The worker of a running gate.
///
/// What comes while it still works saves it a wait, and so some thousand instructions: whether it does would be luck. So
/// all that is sent to it is sent when it sleeps.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// Where the kernel says what it sleeps in.
    wchan: PathBuf,
}

impl Worker {
    /// The worker of this process.
    pub(crate) fn of(process: u32) -> Result<Worker> {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let folder = thread?.path();
            if fs::read_to_string(folder.join("comm"))?.trim() == NAME {
                return Ok(Worker { wchan: folder.join("wchan") });
            }
        }
        anyhow::bail!("it has no thread {NAME}")
    }

    /// Waits until it waits for its sockets.
    pub(crate) fn wait_until_idle(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sleeps_in = fs::read_to_string(&self.wchan).context("the gate has ended")?;
            if sleeps_in.contains("epoll") {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{NAME} is not idle after {PATIENCE:?}: {sleeps_in:?}");
            std::thread::sleep(LOOK);
        }
    }
}
