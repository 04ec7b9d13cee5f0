//! The control socket: there this process itself answers, even while another one answers on its addresses.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use admin::{CommandSender, Pages, Sources};
use anyhow::Context;
use lifecycle::socket_path::{self, Identity};
use tokio::net::UnixListener;
use tokio::task::AbortHandle;

use super::process::Tasks;

/// The control socket: not there yet, or answered.
pub(super) struct ControlSocket {
    path: Option<PathBuf>,
    commands: CommandSender,
    sources: Arc<Sources>,
    answered: Option<(Identity, AbortHandle)>,
}

impl ControlSocket {
    pub(super) fn new(
        path: Option<PathBuf>,
        commands: CommandSender,
        sources: Arc<Sources>,
    ) -> ControlSocket {
        ControlSocket { path, commands, sources, answered: None }
    }

    /// Takes the path and answers there, unless a process that still serves does: `sluicegate upgrade` asks that one how
    /// its upgrade went.
    ///
    /// # Errors
    /// If the path cannot be had.
    pub(super) fn serve_if_free(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let is_taken = self.path.as_ref().is_some_and(|path| UnixStream::connect(path).is_ok());
        if is_taken { Ok(()) } else { self.serve(tasks) }
    }

    /// Takes the path, even from another process, and answers there, unless this one does so already. A successor with the
    /// same path may have had it meanwhile.
    ///
    /// # Errors
    /// If the path cannot be had.
    pub(super) fn serve(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if self.answered.as_ref().is_some_and(|(ours, _)| Identity::of(path) == Some(*ours)) {
            return Ok(());
        }
        let (listener, ours) = socket_path::claim(path).context("cannot own the path of --control")?;
        let listener = UnixListener::from_std(listener).context("the control socket cannot be watched")?;
        let (pages, sources) = (Pages::Control(self.commands.clone()), Arc::clone(&self.sources));
        let task = tasks.spawn(async move { match admin::serve(listener, pages, sources).await {} });
        if let Some((_, before)) = self.answered.replace((ours, task)) {
            before.abort();
        }
        Ok(())
    }

    /// Stops answering.
    pub(super) fn close(self) {
        if let Some((_, task)) = self.answered {
            task.abort();
        }
    }
}
