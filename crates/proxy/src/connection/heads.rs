//! The heads of requests in flight on one connection of HTTP/2. A compressed one costs its sender an octet for each field that
//! it has sent before, and us all of it, for as long as the request lasts.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::error::Refusal;

/// Octets of heads in flight with which a connection has so many, or such large ones, that it is to begin with few at a time:
/// more than a kibibyte for each of as many requests as it may have by itself.
const MANY_BYTES: usize = 128 << 10;
/// In each such time a worker begins one request of all connections that have so many: three times what one of 64 KiB takes.
const SLOT: Duration = Duration::from_millis(1);
/// For so long slots are given away in advance; who has left has no use for his. More connections than that share the last.
const SLOTS_AHEAD: Duration = Duration::from_millis(100);

/// When the next request with a large head may begin on a worker.
pub(crate) struct Slots(Cell<Instant>);

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots(Cell::new(Instant::now()))
    }

    /// Takes the next one: how long it is until then.
    pub(super) fn next(&self, now: Instant) -> Duration {
        let slot = self.0.get().clamp(now, now + SLOTS_AHEAD) + SLOT;
        self.0.set(slot);
        slot - now
    }
}

/// What one request's head takes, and those of its connection take together.
#[derive(Default)]
pub(crate) struct Heads {
    all: Rc<Cell<usize>>,
    own: Cell<usize>,
}

impl Heads {
    /// Those of the same connection, with one more.
    pub(super) fn share(&self) -> Heads {
        Heads { all: Rc::clone(&self.all), own: Cell::default() }
    }

    /// Whether those of the connection take much.
    pub(super) fn are_many(&self) -> bool {
        self.all.get() > MANY_BYTES
    }

    /// Holds a head of so many bytes until this value is dropped.
    ///
    /// # Errors
    /// If there is no room for it beside the others. One alone always has room.
    pub(crate) fn hold(&self, bytes: usize, most: usize) -> Result<(), Refusal> {
        let others = self.all.get();
        if others > 0 && others + bytes > most {
            return Err(Refusal::Heads);
        }
        self.own.set(self.own.get() + bytes);
        self.all.set(others + bytes);
        Ok(())
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.own.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_all_large_heads_begins_in_a_slot_and_who_comes_late_does_not_wait_for_ever() {
        let (slots, now) = (Slots::new(), Instant::now());
        let waits: Vec<Duration> = (0..1000).map(|_| slots.next(now)).collect();
        assert!(waits.windows(2).take(90).all(|pair| pair[1] - pair[0] == SLOT));
        assert_eq!(waits[999], SLOTS_AHEAD + SLOT);
        assert_eq!(slots.next(now + Duration::from_secs(1)), SLOT, "nothing is kept for who did not come");
    }

    #[test]
    fn heads_take_their_room_from_one_another_and_give_it_back() {
        let connection = Heads::default();
        let (first, second) = (connection.share(), connection.share());
        assert_eq!(first.hold(60, 100), Ok(()));
        assert_eq!(second.hold(60, 100), Err(Refusal::Heads));
        assert_eq!(second.hold(40, 100), Ok(()));
        drop(first);
        assert_eq!(connection.share().hold(60, 100), Ok(()));
        drop(second);
        let large = connection.share();
        assert_eq!(large.hold(MANY_BYTES + 1, 100), Ok(()), "one alone has room");
        assert!(connection.are_many());
        drop(large);
        assert!(!connection.are_many());
    }
}
