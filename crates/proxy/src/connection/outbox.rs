//! What was read of responses and the client has not taken yet. It must stay little: a client that asks for much and reads
//! nothing pays with a few hundred octets for what is kept for it, ten thousand times.

use std::cell::Cell;

/// Octets that wait for the client before no more are read from its endpoint. hyper alone would collect as much as its
/// largest buffer. With the pieces that are under way it comes to two or three times as much.
const WAITING_BYTES_MAX: usize = 16 << 10;

/// How much waits for one client of HTTP/1. (With HTTP/2 the window says whether there is room.)
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Cell<usize>,
    /// There would be more if there were room.
    held: Cell<bool>,
}

impl Outbox {
    /// Whether there is room for more; if not, [`sent`](Outbox::sent) tells when there is.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.waiting.get() < WAITING_BYTES_MAX;
        self.held.set(!has_room);
        has_room
    }

    /// These wait now.
    pub(crate) fn put(&self, bytes: usize) {
        self.waiting.set(self.waiting.get() + bytes);
    }

    /// The kernel has taken these, and what frames them: whether there is room again that is waited for.
    #[must_use]
    pub(super) fn sent(&self, bytes: usize) -> bool {
        self.waiting.set(self.waiting.get().saturating_sub(bytes));
        self.waiting.get() < WAITING_BYTES_MAX && self.held.take()
    }

    /// All is with the kernel.
    pub(super) fn flushed(&self) {
        self.waiting.set(0);
    }
}
