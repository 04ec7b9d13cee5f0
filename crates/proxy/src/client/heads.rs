//! The heads of requests in flight on one connection of HTTP/2. A compressed one costs its sender a byte for each field that
//! it has sent before, and us all of it, for as long as the request lasts.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::Refusal;

/// Bytes of heads in flight with which a connection has so many, or such large ones, that it is to begin with few at a time:
/// more than a kibibyte for each of as many requests as it may have by itself.
const MANY_BYTES: usize = 128 << 10;

/// What one request's head takes, and those of its connection take together.
#[derive(Default)]
pub(crate) struct Heads {
    all: Rc<Cell<usize>>,
    own: Cell<usize>,
}

impl Heads {
    /// Those of the same connection, with one more.
    pub(crate) fn share(&self) -> Heads {
        Heads { all: Rc::clone(&self.all), own: Cell::default() }
    }

    /// Whether those of the connection take much.
    pub(crate) fn are_many(&self) -> bool {
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
