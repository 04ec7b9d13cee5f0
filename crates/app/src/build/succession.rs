//! Whom this process replaces, and who replaces it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use lifecycle::handover::{Confirmed, Lost, Offer, Owner, Received, Successor};

/// The process in the line of those that hold the sockets one after the other.
pub(super) struct Succession {
    pub(super) path: Option<PathBuf>,
    pub(super) offers: Vec<Offer>,
    pub(super) predecessor: Option<Received>,
}

impl Succession {
    /// Waits until the predecessor ends by itself, so that nobody but us is left to answer; for ever if there is none.
    ///
    /// # Errors
    /// If it waits for us no longer and goes on without us.
    pub(super) async fn predecessor_ended(&mut self) -> anyhow::Result<()> {
        let Some(predecessor) = &mut self.predecessor else { return std::future::pending().await };
        match predecessor.lost().await {
            Lost::Ended => tracing::warn!("process {} has ended before this one is ready", predecessor.pid()),
            Lost::GivenUp => bail!(
                "process {} serves on, because this one was not ready in time; see what it waits for, then start it again",
                predecessor.pid()
            ),
        }
        self.predecessor = None;
        Ok(())
    }

    /// Takes the path, for the next process to find us there.
    ///
    /// # Errors
    /// If it cannot be had; nobody was accepted yet, and a predecessor goes on.
    pub(super) fn claim(&mut self) -> anyhow::Result<Option<Owner>> {
        let Some(path) = self.path.take() else { return Ok(None) };
        let offers = std::mem::take(&mut self.offers);
        Owner::claim(path, offers).map(Some).context("cannot own the path of --handover")
    }

    /// Releases the predecessor: we serve. It is returned if it drains now.
    pub(super) async fn confirm(&mut self) -> Option<Received> {
        let mut predecessor = self.predecessor.take()?;
        let pid = predecessor.pid();
        match predecessor.confirm().await {
            Confirmed::Released => {
                tracing::info!("process {pid} is released and drains");
                return Some(predecessor);
            }
            Confirmed::Ended => tracing::warn!("process {pid} has ended before it could be released"),
            Confirmed::Refused => {
                tracing::error!("process {pid} does not let go: both serve until one is ended");
            }
        }
        None
    }
}

/// Waits for the successor to serve; for ever if none can come.
pub(super) async fn handed_over(owner: Option<Owner>) -> Successor {
    match owner {
        Some(owner) => owner.handed_over().await,
        None => std::future::pending().await,
    }
}
