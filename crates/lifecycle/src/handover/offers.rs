//! What a process offers to its successor.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::GivenUp;

/// A listening socket that is passed on if it is still open by then.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What it is for: one word of at most [`ROLE_BYTES_MAX`](Self::ROLE_BYTES_MAX) bytes.
    pub role: &'static str,
    /// Its address as the configuration has it, so that a port 0 there stays the port it became.
    pub configured: SocketAddr,
    /// Its acceptors own it; when they close it, it is closed.
    pub listener: Weak<TcpListener>,
    /// Its acceptors are told here to close it.
    pub given_up: GivenUp,
}

impl Offer {
    /// Enough for a word.
    pub const ROLE_BYTES_MAX: usize = 32;

    /// What it is for, and its address as the configuration has it.
    pub(super) fn in_words(&self) -> String {
        format!("{} {}", self.role, self.configured)
    }
}

/// All that a process offers. It may open and close sockets while it serves; a successor gets what is there when it comes. All
/// clones are one.
#[derive(Clone, Debug, Default)]
pub struct Offers(Arc<Mutex<Vec<Offer>>>);

impl From<Vec<Offer>> for Offers {
    fn from(offers: Vec<Offer>) -> Offers {
        Offers(Arc::new(Mutex::new(offers)))
    }
}

impl Offers {
    /// One more.
    pub fn add(&self, offer: Offer) {
        self.with(|offers| offers.push(offer));
    }

    /// No longer the one for this role and this configured address.
    pub fn remove(&self, role: &str, configured: SocketAddr) {
        self.with(|offers| offers.retain(|it| it.role != role || it.configured != configured));
    }

    /// Those that there are now.
    pub(super) fn now(&self) -> Vec<Offer> {
        self.with(|offers| offers.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Offer>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
