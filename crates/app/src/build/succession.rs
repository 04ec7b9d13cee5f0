//! The process that this one replaces, and the one that replaces it.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use lifecycle::handover::{self, Confirmed, Fate, Lost, Offers, Owner, Received, Successor};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

/// How long a process may need to replace one that it watches: some milliseconds, unless the machine is busy. Until then
/// the probes of a process that waits for it are not answered.
const TAKEN_BACK_WAIT: Duration = Duration::from_secs(1);
/// Between two looks whether it has.
const TAKEN_BACK_PAUSE: Duration = Duration::from_millis(20);

/// This process in the line of processes that have the sockets one after the other.
pub(super) struct Succession {
    pub(super) path: Option<PathBuf>,
    pub(super) offers: Offers,
    pub(super) predecessor: Option<Received>,
}

impl Succession {
    /// Waits until the predecessor ends by itself, so that only we are left to answer; for ever if there is none. If the
    /// one before it serves again, that one is our predecessor from then on.
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
        let (deadline, mut next) = (Instant::now() + TAKEN_BACK_WAIT, None);
        while next.is_none() && Instant::now() < deadline {
            sleep(TAKEN_BACK_PAUSE).await;
            next = self.connect().await?;
        }
        self.predecessor = next;
        Ok(())
    }

    /// Whether only we are left to answer.
    pub(super) fn is_alone(&self) -> bool {
        self.predecessor.is_none()
    }

    /// Connects to the process that serves now. It has the same sockets as we.
    async fn connect(&self) -> anyhow::Result<Option<Received>> {
        let Some(path) = &self.path else { return Ok(None) };
        let mut received = handover::connect(path).await.context("cannot take over by --handover")?;
        if let Some(received) = &mut received {
            received.close_rest();
            tracing::info!("process {} serves now: it is the one to take over from", received.pid());
        }
        Ok(received)
    }

    /// Asks the predecessor again: it may have opened sockets for this role since it was asked.
    ///
    /// # Errors
    /// If a process is there and cannot be asked.
    pub(super) async fn take_again(&mut self, role: &str) -> anyhow::Result<Vec<(SocketAddr, TcpListener)>> {
        // It gives its sockets to one process at a time.
        self.predecessor = None;
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let mut received = handover::connect(path).await.context("cannot take over by --handover")?;
        let taken = received.as_mut().map(|received| received.take_all(role)).unwrap_or_default();
        received.iter_mut().for_each(|received| drop(received.close_rest()));
        self.predecessor = received;
        Ok(taken)
    }

    /// Takes the path, for the next process to find us there.
    ///
    /// # Errors
    /// If it cannot be had; no client was accepted yet, and a predecessor goes on.
    pub(super) async fn claim(&mut self) -> anyhow::Result<Option<Owner>> {
        let Some(path) = self.path.clone() else { return Ok(None) };
        loop {
            let (path, offers) = (path.clone(), self.offers.clone());
            let owner = Owner::follow(path, offers, self.predecessor.as_ref()).await;
            if let Some(owner) = owner.context("cannot own the path of --handover")? {
                return Ok(Some(owner));
            }
            self.predecessor = self.connect().await?;
        }
    }

    /// Releases the predecessor: we serve. If it drains now, it watches us.
    pub(super) async fn confirm(&mut self, owner: Option<&mut Owner>) {
        let Some(mut predecessor) = self.predecessor.take() else { return };
        let pid = predecessor.pid();
        match predecessor.confirm(&self.offers).await {
            Confirmed::Released => {
                tracing::info!("process {pid} is released and drains");
                if let Some(owner) = owner {
                    owner.replaces(predecessor);
                }
            }
            Confirmed::Ended => tracing::warn!("process {pid} has ended before it could be released"),
            Confirmed::Refused => {
                tracing::error!(
                    "process {pid} does not release its sockets: both serve until one is stopped"
                );
            }
        }
    }
}

/// A change of the process that serves on our sockets.
pub(super) enum SuccessionEvent {
    /// A successor serves now.
    HandedOver(Successor),
    /// The successor serves no longer.
    Gone(Fate),
}

/// Waits for a successor to serve, or for the end of the one that does; for ever if none can come.
pub(super) async fn next_event(
    owner: Option<&mut Owner>,
    successor: Option<&mut Successor>,
) -> SuccessionEvent {
    match (owner, successor) {
        (Some(owner), None) => SuccessionEvent::HandedOver(owner.handed_over().await),
        (Some(owner), Some(successor)) => SuccessionEvent::Gone(successor.fate(owner).await),
        (None, _) => std::future::pending().await,
    }
}

/// Gives the path up, as a process that dies does. Returns whether the predecessor, which watches it, serves then. Both
/// accept meanwhile.
pub(super) async fn given_back(owner: Owner) -> bool {
    let path = owner.path().to_owned();
    drop(owner);
    let deadline = Instant::now() + TAKEN_BACK_WAIT;
    while Instant::now() < deadline {
        sleep(TAKEN_BACK_PAUSE).await;
        if UnixStream::connect(&path).await.is_ok() {
            return true;
        }
    }
    false
}
