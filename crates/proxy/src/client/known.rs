//! What is known of a client for as long as its connection lasts, spoken on or parked.

use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use super::Secure;
use crate::overload::Counted;

/// What a parked connection must know of its client.
pub(crate) struct Known {
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) is_proxied: bool,
    pub(super) counted: Option<Box<Counted>>,
    pub(super) secure: Option<Box<Secure>>,
    pub(super) identity: Option<Rc<()>>,
}

impl Known {
    /// One that has just been accepted.
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr) -> Known {
        Known { peer, local, is_proxied: false, counted: None, secure: None, identity: None }
    }
}

/// Tells one client's connection from any other, and whether it is still there.
pub(crate) struct Identity(pub(super) Weak<()>);

impl Identity {
    /// Whether the client has left.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        self.0.ptr_eq(&other.0)
    }
}
