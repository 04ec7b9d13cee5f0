//! The upgrade: the process starts its own successor, from the file that it was started from, and hands over to it.

use std::convert::Infallible;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use admin::{Command, CommandRequest};
use tokio::process::{self, Child};
use tokio::sync::mpsc;

use super::lame_duck::LameDuck;
use crate::config::Program;

/// Starts successors, one at a time.
#[derive(Clone)]
pub(super) struct Upgrade {
    /// What to start, or why nothing can be started.
    program: Result<Program, &'static str>,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Default)]
struct Progress {
    /// The successor that is preparing to serve.
    running: Option<u32>,
    failed: Option<String>,
}

impl Upgrade {
    pub(super) fn new(program: Option<Program>, has_handover: bool) -> Upgrade {
        let program = match program {
            _ if !has_handover => {
                Err("without --handover no successor could take over: start the process with one")
            }
            None => Err("this process is part of another program, which would have to be started"),
            Some(program) => Ok(program),
        };
        Upgrade { program, progress: Arc::default() }
    }

    /// Why the last upgrade failed, if it did.
    pub(super) fn failed(&self) -> Option<String> {
        self.lock().failed.clone()
    }

    /// Starts a successor. The handover shows that it serves.
    fn start(&self) -> Result<String, String> {
        let started = self.try_start();
        match &started {
            Ok(done) => tracing::info!("upgrade: {done}"),
            Err(why) => tracing::error!("no upgrade: {why}"),
        }
        started
    }

    fn try_start(&self) -> Result<String, String> {
        let program = self.program.as_ref().map_err(|why| (*why).to_owned())?;
        let mut progress = self.lock();
        if let Some(pid) = progress.running {
            return Err(format!("process {pid} is already preparing to take over; wait for it, or stop it"));
        }
        let path = program.path.display();
        let child = process::Command::new(&program.path).args(&program.args).spawn();
        let child =
            child.map_err(|error| format!("{path} cannot be started ({error}); this process serves on"))?;
        let pid = child.id().unwrap_or_default();
        *progress = Progress { running: Some(pid), failed: None };
        tokio::spawn(self.clone().watch(child, pid));
        Ok(format!("process {pid} runs {path} and prepares to take over"))
    }

    /// A successor serves: if it is the one that was started here, the upgrade is done.
    pub(super) fn handed_over(&self, pid: u32) {
        self.lock().running.take_if(|running| *running == pid);
    }

    /// If it ends before it has taken over, the upgrade has failed. After that its end does not matter here: it may have
    /// been replaced in turn, or this process serves again.
    async fn watch(self, mut child: Child, pid: u32) {
        let ended = child.wait().await;
        let how = ended.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
        if self.lock().running != Some(pid) {
            tracing::info!("process {pid}, which had taken over, has ended ({how})");
            return;
        }
        let why = format!("the successor has ended ({how}); its log tells why, and this process serves on");
        tracing::error!("no upgrade: {why}");
        *self.lock() = Progress { running: None, failed: Some(why) };
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the commands of operators.
pub(super) async fn run_commands(
    mut asked: mpsc::Receiver<CommandRequest>,
    duck: LameDuck,
    upgrade: Upgrade,
) -> Infallible {
    while let Some(CommandRequest { command, answer }) = asked.recv().await {
        // Sent before this process served: its sender was told that it is not done.
        if answer.is_closed() {
            continue;
        }
        let done = match command {
            Command::Drain => {
                duck.set_requested(true);
                Ok(format!("lame duck: {}", duck.reasons().join(", ")))
            }
            Command::Undrain => {
                duck.set_requested(false);
                match duck.reasons().as_slice() {
                    [] => Ok("serving".into()),
                    others => Err(format!("still a lame duck, for another reason: {}", others.join(", "))),
                }
            }
            Command::Upgrade => upgrade.start(),
        };
        // The sender may have disconnected.
        let _ = answer.send(done);
    }
    std::future::pending().await
}
