//! What was read of responses and the client has not taken yet. It must stay little: a client that asks for much and reads
//! nothing pays with a few hundred bytes for what is kept for it, ten thousand times. One that reads as fast as we write may
//! have more in one go, which spares work.

use std::cell::Cell;

/// Bytes that wait for a client before no more are read from its endpoint: less than a piece, so that it is one at a time,
/// and enough that the last few of an answer do not hold its endpoint. hyper alone would collect as much as its largest
/// buffer.
const WAITING_BYTES_MAX: usize = 2 << 10;
/// The same for one that reads as fast as we write.
const WAITING_BYTES_MAX_IN_STEP: usize = 64 << 10;
/// Bytes that a client has to take without a pause to be one of those: more than what kernels take for one that reads nothing.
const IN_STEP_BYTES: usize = 256 << 10;
/// What is no pause: a round trip to the far side of the world, and the tick that may have just been over.
const PAUSE_TICKS: u32 = 6;

/// How much waits for one client of HTTP/1. (With HTTP/2 the window says whether there is room.)
#[derive(Default)]
pub(crate) struct WriteBacklog {
    waiting: Cell<usize>,
    /// What the kernel has taken since its last pause.
    taken: Cell<usize>,
    /// The tick since which it takes nothing.
    pause: Cell<Option<u32>>,
    /// There would be more if there were room.
    held: Cell<bool>,
}

impl WriteBacklog {
    /// Whether there is room for more; if not, [`sent`](WriteBacklog::sent) tells when there is.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.waiting.get() < self.room();
        self.held.set(!has_room);
        has_room
    }

    /// Whether it takes what it is sent as fast as that comes.
    pub(crate) fn is_in_step(&self) -> bool {
        self.taken.get() >= IN_STEP_BYTES
    }

    fn room(&self) -> usize {
        if self.is_in_step() { WAITING_BYTES_MAX_IN_STEP } else { WAITING_BYTES_MAX }
    }

    /// These wait now.
    pub(crate) fn put(&self, bytes: usize) {
        self.waiting.set(self.waiting.get() + bytes);
    }

    /// The kernel has taken these, and what frames them: whether there is room again that is waited for.
    #[must_use]
    pub(crate) fn sent(&self, bytes: usize, now: u32) -> bool {
        if self.pause.take().is_some_and(|since| now - since > PAUSE_TICKS) {
            self.taken.set(0);
        }
        self.taken.set(self.taken.get().saturating_add(bytes));
        self.waiting.set(self.waiting.get().saturating_sub(bytes));
        self.waiting.get() < self.room() && self.held.take()
    }

    /// The kernel takes no more at present.
    pub(crate) fn refused(&self, now: u32) {
        self.pause.set(self.pause.get().or(Some(now)));
    }

    /// All is with the kernel.
    pub(crate) fn flushed(&self) {
        self.waiting.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts pieces of a kibibyte until there is no room; how many.
    fn fill(backlog: &WriteBacklog) -> usize {
        let put = |_: &_| backlog.has_room().then(|| backlog.put(1 << 10)).is_some();
        (0..1000).take_while(put).count()
    }

    #[test]
    fn a_client_in_step_may_have_more_at_a_time_and_one_that_pauses_may_not() {
        let backlog = WriteBacklog::default();
        for _ in 0..128 {
            assert_eq!(fill(&backlog), 2);
            backlog.refused(1);
            assert!(backlog.sent(2 << 10, 1), "there is room, and it was waited for");
        }
        assert_eq!(fill(&backlog), 64);
        backlog.refused(1);
        assert!(backlog.sent(40 << 10, 7), "that is no pause");
        backlog.refused(10);
        backlog.refused(17);
        assert!(!backlog.sent(22 << 10, 17), "two wait");
        assert!(!backlog.has_room() && backlog.sent(1 << 10, 17));
        backlog.flushed();
        assert_eq!(fill(&backlog), 2);
    }
}
