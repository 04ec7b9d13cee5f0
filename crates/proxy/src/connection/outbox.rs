//! What was read of responses and the client has not taken yet. It must stay little: a client that asks for much and reads
//! nothing pays with a few hundred octets for what is kept for it, ten thousand times. Who reads as fast as we write may
//! have more in one go, which spares work.

use std::cell::Cell;

/// Octets that wait for a client before no more are read from its endpoint: less than a piece, so that it is one at a time,
/// and enough that the last few of an answer do not hold its endpoint. hyper alone would collect as much as its largest
/// buffer.
const WAITING_BYTES_MAX: usize = 2 << 10;
/// The same for one that keeps pace.
const WAITING_BYTES_MAX_IN_STEP: usize = 64 << 10;
/// Octets that a client has to take without a pause to keep pace: more than what kernels take for one that reads nothing.
const IN_STEP_BYTES: usize = 256 << 10;
/// What is no pause: a round trip to the far side of the world, and the tick that may have just been over.
const PAUSE_TICKS: u32 = 6;

/// How much waits for one client of HTTP/1. (With HTTP/2 the window says whether there is room.)
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Cell<usize>,
    /// What the kernel has taken since its last pause.
    taken: Cell<usize>,
    /// The tick since which it takes nothing.
    pause: Cell<Option<u32>>,
    /// There would be more if there were room.
    held: Cell<bool>,
}

impl Outbox {
    /// Whether there is room for more; if not, [`sent`](Outbox::sent) tells when there is.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.waiting.get() < self.room();
        self.held.set(!has_room);
        has_room
    }

    /// Whether it takes what it is sent as fast as that comes.
    pub(crate) fn keeps_pace(&self) -> bool {
        self.taken.get() >= IN_STEP_BYTES
    }

    fn room(&self) -> usize {
        if self.keeps_pace() { WAITING_BYTES_MAX_IN_STEP } else { WAITING_BYTES_MAX }
    }

    /// These wait now.
    pub(crate) fn put(&self, bytes: usize) {
        self.waiting.set(self.waiting.get() + bytes);
    }

    /// The kernel has taken these, and what frames them: whether there is room again that is waited for.
    #[must_use]
    pub(super) fn sent(&self, bytes: usize, now: u32) -> bool {
        if self.pause.take().is_some_and(|since| now - since > PAUSE_TICKS) {
            self.taken.set(0);
        }
        self.taken.set(self.taken.get().saturating_add(bytes));
        self.waiting.set(self.waiting.get().saturating_sub(bytes));
        self.waiting.get() < self.room() && self.held.take()
    }

    /// The kernel takes no more at present.
    pub(super) fn refused(&self, now: u32) {
        self.pause.set(self.pause.get().or(Some(now)));
    }

    /// All is with the kernel.
    pub(super) fn flushed(&self) {
        self.waiting.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts pieces of a kibibyte until there is no room; how many.
    fn fill(outbox: &Outbox) -> usize {
        let put = |_: &_| outbox.has_room().then(|| outbox.put(1 << 10)).is_some();
        (0..1000).take_while(put).count()
    }

    #[test]
    fn who_keeps_pace_may_have_more_at_a_time_and_who_pauses_may_not() {
        let outbox = Outbox::default();
        for _ in 0..128 {
            assert_eq!(fill(&outbox), 2);
            outbox.refused(1);
            assert!(outbox.sent(2 << 10, 1), "there is room, and it was waited for");
        }
        assert_eq!(fill(&outbox), 64);
        outbox.refused(1);
        assert!(outbox.sent(40 << 10, 7), "that is no pause");
        outbox.refused(10);
        outbox.refused(17);
        assert!(!outbox.sent(22 << 10, 17), "two wait");
        assert!(!outbox.has_room() && outbox.sent(1 << 10, 17));
        outbox.flushed();
        assert_eq!(fill(&outbox), 2);
    }
}
