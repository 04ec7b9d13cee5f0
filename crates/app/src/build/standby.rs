//! A container that is restarted after its process had handed over.
//!
//! In a pod such a process stays, and if it is killed the kubelet starts another in its place. That one must not take the
//! sockets back: its pod is about to be deleted, and the SIGTERM for that may have gone to the process that died. So a
//! process leaves a mark (a file) when it hands over; one that finds the mark stands by while another process serves.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use controller::Live;
use lifecycle::Balancers;
use lifecycle::Readiness;
use lifecycle::drain::drain;
use tokio::time::sleep;

use super::Shutdown;
use super::control::ControlSocket;
use super::lame_duck::LameDuck;
use super::process::Tasks;
use super::state::Standing;
use super::upgrade::Upgrade;
use crate::config::Config;

/// Between two looks whether a process still serves.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Beside the control socket, in a folder that lasts as long as the pod does.
const NAME: &str = "handed-over";

/// Says that a process of this pod has handed over. It is removed when the process serves again, or its successor is gone.
#[derive(Clone)]
pub(super) struct Mark(PathBuf);

impl Mark {
    /// Where it is; none for a process that ends when it has handed over.
    pub(super) fn of(config: &Config) -> Option<Mark> {
        let control = config.control.as_ref().filter(|_| config.leave.stay)?;
        Some(Mark(control.with_file_name(NAME)))
    }

    pub(super) fn set(&self) {
        if let Err(error) = fs::write(&self.0, "") {
            tracing::warn!(%error, "{} cannot be written: after a restart this process would take over again", self.0.display());
        }
    }

    pub(super) fn remove(&self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "{} cannot be removed", self.0.display());
            }
            _ => {}
        }
    }

    fn is_set(&self) -> bool {
        self.0.exists()
    }
}

/// Waits while there is a mark and another process serves; returns the cause if this one is asked to leave meanwhile. It is
/// live and not ready, so that its pod is replaced.
///
/// # Errors
/// If the control socket cannot be had.
pub(crate) async fn stand_by(
    config: &Config,
    shutdown: &mut Shutdown,
) -> anyhow::Result<Option<&'static str>> {
    let (Some(mark), Some(path)) = (Mark::of(config), &config.handover) else { return Ok(None) };
    if !mark.is_set() || !is_served(path) {
        mark.remove();
        return Ok(None);
    }
    tracing::info!("this pod has handed over already: standing by as long as its successor serves");
    let mut tasks = Tasks::new();
    control(config, shutdown).serve(&mut tasks)?;
    // Twice: after the death of the process that serves it takes a moment until its predecessor serves again.
    let mut misses = 0;
    while misses < 2 {
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            cause = shutdown.asked_to_leave() => return Ok(Some(cause)),
        }
        misses = if is_served(path) { 0 } else { misses + 1 };
    }
    tracing::warn!("no process serves any longer: starting");
    mark.remove();
    Ok(None)
}

/// The owner of the path takes no notice of this.
fn is_served(handover: &Path) -> bool {
    UnixStream::connect(handover).is_ok()
}

/// The control socket, for the kubelet's probes.
fn control(config: &Config, shutdown: &Shutdown) -> ControlSocket {
    let (trigger, watch) = drain();
    let readiness = Readiness::new(watch.clone());
    // Never done: a process that stands by is not ready.
    drop(readiness.register("the end of the successor"));
    let duck = LameDuck::new(Arc::new(trigger), config.leave.clone(), Balancers::default());
    let standing = Standing::new(watch, duck, Upgrade::new(None, false));
    let sources = standing.sources(&Live::default(), readiness);
    ControlSocket::new(config.control.clone(), shutdown.commands(), Arc::new(sources))
}
