//! How far a process is with leaving.

use lifecycle::handover::Successor;
use tokio::time::Instant;

/// How far the process is with leaving.
#[derive(Default)]
pub(in crate::build) struct LeaveState {
    /// Whether the process was asked to leave.
    pub(super) asked: bool,
    /// Why it leaves without being asked.
    pub(super) failed: Option<anyhow::Error>,
    pub(super) successor: Option<Successor>,
    /// Whether it still holds the sockets, to take them back if the successor dies.
    pub(super) holds: bool,
    /// Whether the last client has left since the handover.
    pub(super) is_drained: bool,
    /// Until when it guards its successor although it is drained.
    pub(super) guards_until: Option<Instant>,
    /// Whether some pages are not served since it has taken back.
    pub(super) lacks_pages: bool,
    /// Whether its successor leaves for good, so that no process is to serve any more.
    pub(super) is_last: bool,
    /// When what is left is cut; not set for a lame duck.
    pub(super) ends: Option<Instant>,
}

impl LeaveState {
    /// Whether it leaves for good, with or without a successor.
    pub(super) fn leaves(&self) -> bool {
        self.asked || self.failed.is_some()
    }

    /// Whether it serves: it was not asked to leave, and no successor serves in its place.
    pub(super) fn serves(&self) -> bool {
        !self.leaves() && self.successor.is_none()
    }

    /// Why it leaves without being asked.
    pub(in crate::build) fn failed(self) -> Option<anyhow::Error> {
        self.failed
    }
}
