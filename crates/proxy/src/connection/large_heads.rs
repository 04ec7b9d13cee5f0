//! How fast requests with large heads begin on one worker: one after the other, with time for others in between.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// In each such time a worker begins one request of all connections whose heads take much: three times what one of 64 KiB takes.
const SLOT: Duration = Duration::from_millis(1);
/// For so long slots are given away in advance: a client that has left needs none. More connections than that share the last.
const SLOTS_AHEAD: Duration = Duration::from_millis(100);

/// When the next request with a large head may begin on a worker.
pub(crate) struct LargeHeadLimiter(Cell<Instant>);

impl LargeHeadLimiter {
    pub(crate) fn new() -> LargeHeadLimiter {
        LargeHeadLimiter(Cell::new(Instant::now()))
    }

    /// Takes the next one: how long it is until then.
    pub(super) fn next(&self, now: Instant) -> Duration {
        let slot = self.0.get().clamp(now, now + SLOTS_AHEAD) + SLOT;
        self.0.set(slot);
        slot - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_all_large_heads_begins_in_a_slot_and_no_wait_is_endless() {
        let (slots, now) = (LargeHeadLimiter::new(), Instant::now());
        let waits: Vec<Duration> = (0..1000).map(|_| slots.next(now)).collect();
        assert!(waits.windows(2).take(90).all(|pair| pair[1] - pair[0] == SLOT));
        assert_eq!(waits[999], SLOTS_AHEAD + SLOT);
        assert_eq!(
            slots.next(now + Duration::from_secs(1)),
            SLOT,
            "no slot is kept for a request that did not come"
        );
    }
}
