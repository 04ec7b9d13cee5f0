//! The handover: a successor gets the listening sockets of the process it replaces, and no client notices.
//!
//! ```text
//! Owner (serves)                         Predecessor, seen from the new process
//!   greeting ─────────────────────────►  is it free, does it speak the same version?
//!          ◄───────────────────────────  greeting
//!   sockets (SCM_RIGHTS) ─────────────►  uses those it is configured for, closes the others
//!   goes on accepting                    reads its routes, accepts nothing yet; may ask anew for
//!                                        sockets that were opened meanwhile
//!                                        claims the path, serves
//!          ◄───────────────────────────  which sockets it has
//!          ◄───────────────────────────  confirmed
//!   released ─────────────────────────►
//!   closes what the successor lacks,     serves
//!   accepts no more, drains, watches
//!          ◄───────────────────────────  handed on: it is replaced in its turn
//!          ◄───────────────────────────  leaves: no process is to serve in its place
//!   lets the sockets go, ends
//! ```
//!
//! A listening socket that is passed on is not a second one: both processes hold the same queue. So a client that waits
//! in it is accepted by one or the other, and either may die at any line above without a client being refused: until
//! `confirmed` the old process accepts, after it the new one does. If that one dies, which is to end without a word,
//! the old one [accepts again](Successor::fate), for as long as it drains and was not itself told to leave.
//!
//! Two things would break that. `shutdown()` on such a socket stops it for both processes, and so do its flags, of
//! which there is only one set: nothing here calls the one or changes the others. And a copy that a process holds
//! without accepting on it lets clients wait in vain once no other process accepts: the owner holds its sockets weakly,
//! a successor closes what it does not need, and a process that has handed over lets go of them when its successor
//! leaves, or when it would not take them back itself. What the one that serves does not have is [given up](GivenUp) by
//! all before it.
//!
//! Never: binds an address, accepts a client, or decides when to drain. Start at [`Owner::handed_over`] and
//! [`connect`].

mod offers;
mod owner;
mod predecessor;
mod watch;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Sender;

use crate::socket_path;
pub use offers::{Offer, Offers};
pub use owner::Owner;
pub use predecessor::{Confirmed, Lost, Received, connect};
pub use watch::{Fate, Successor, Vacancy};

/// For each message that the other side sends without thinking: its greeting, its sockets, `released`. A machine that
/// takes longer is stuck, and so would we be.
const MESSAGE_WAIT: Duration = Duration::from_secs(5);
/// From the sockets to `confirmed`. The successor first reads its routes, and an API server may be away for a while;
/// but a successor that hangs must not keep the next one out for good.
const CONFIRM_WAIT: Duration = Duration::from_secs(600);
/// How long a new process waits for its turn while another one takes over, or while the path changes hands.
const TURN_WAIT: Duration = Duration::from_secs(30);
/// Between two looks whether it is our turn.
const TURN_PAUSE: Duration = Duration::from_millis(100);
/// How often the owner looks whether its path is still there; one that was removed is back after this time.
const PATH_CHECK: Duration = Duration::from_secs(1);
/// Processes that may come to the owner at a time while it is occupied with a successor.
const OTHERS_MAX: usize = 16;
/// Between two looks which process serves after a successor is gone.
const LOOK_PAUSE: Duration = Duration::from_millis(5);
/// How long the folder may be locked: a process that does not stand still needs no more than some milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Between two tries to lock it.
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// Whether a listening socket is given up: another process serves that does not have it, so that a client which
/// connects to it would wait in vain; or what it is for is gone. It is closed then, by a process that holds it after a handover
/// too, and does not come back. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct GivenUp(Arc<Sender<bool>>);

impl GivenUp {
    /// Whether it is.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is.
    pub async fn set(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|is_set| *is_set).await;
    }

    /// Gives it up; whether it was not before.
    pub fn give_up(&self) -> bool {
        !self.0.send_replace(true)
    }
}

/// Why sockets can be neither had nor passed on, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path itself.
    #[error(transparent)]
    Path(#[from] socket_path::Error),
    /// Another user's process.
    #[error("{} belongs to a process of user {uid}, which is neither this user nor root; end that process, or name another path", path.display())]
    Stranger {
        /// The path.
        path: PathBuf,
        /// The user of the process.
        uid: u32,
    },
    /// Another version of these messages.
    #[error(
        "{}: process {pid} hands over in version {theirs}, this one takes over in version {}; end that process first (it \
         drains), then start this one",
        path.display(), wire::VERSION
    )]
    Version {
        /// The path.
        path: PathBuf,
        /// The process.
        pid: u32,
        /// Its version.
        theirs: u16,
    },
    /// Its sockets would be bound in a network that is not ours, where clients that look for us do not come.
    #[error(
        "{}: process {pid} lives in another network than this one; give both the same (in Kubernetes: hostNetwork), or \
         start this one without a handover",
        path.display()
    )]
    Network {
        /// The path.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// Another successor.
    #[error("{}: another process is taking over and did not get done within {TURN_WAIT:?}; end one of the two", .0.display())]
    Busy(PathBuf),
    /// Nonsense, or nothing.
    #[error("{}: the process there does not hand over as it should ({source}); end it, then start this one", path.display())]
    Broken {
        /// The path.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}
