//! Where frames begin in a stream of bytes; and turns, which end where many requests have begun.

use std::cell::Cell;
use std::ops::ControlFlow;

/// Octets of a frame's head (RFC 9113 §4.1).
pub(super) const HEAD: usize = 9;
/// Types of frames (RFC 9113 §6).
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
/// The flag of a stream's last frame.
pub(super) const END_STREAM: u8 = 1;

/// What a connection may have us work on before others get their turn: h2 would go on for as long as there is anything, and
/// a few kilobytes may be hundreds of requests.
const TURN_BYTES: usize = 16 << 10;
const TURN_REQUESTS: usize = 8;

/// Finds the heads of frames. Only these are looked at.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Bytes up to the next head.
    skip: usize,
    head: [u8; HEAD],
    /// Bytes of the head that have come.
    filled: usize,
}

impl Frames {
    /// What a client sends, from the preface on.
    pub(crate) fn of_a_client() -> Frames {
        Frames { skip: super::PREFACE.len(), ..Frames::default() }
    }

    /// Shows each head, until that is enough; and how many bytes were looked at by then.
    pub(crate) fn follow(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8; HEAD]) -> ControlFlow<()>,
    ) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() {
            let skipped = self.skip.min(rest.len());
            (self.skip, rest) = (self.skip - skipped, &rest[skipped..]);
            let taken = (HEAD - self.filled).min(rest.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&rest[..taken]);
            (self.filled, rest) = (self.filled + taken, &rest[taken..]);
            if self.filled == HEAD {
                let [a, b, c, ..] = self.head;
                (self.skip, self.filled) = (u32::from_be_bytes([0, a, b, c]) as usize, 0);
                if each(&self.head).is_break() {
                    break;
                }
            }
        }
        bytes.len() - rest.len()
    }
}

/// What is left of a connection's turn.
pub(crate) struct Turn {
    bytes: Cell<usize>,
    requests: Cell<usize>,
    carried: Cell<bool>,
}

impl Turn {
    pub(crate) fn new() -> Turn {
        let (bytes, requests) = (Cell::new(TURN_BYTES), Cell::new(TURN_REQUESTS));
        Turn { bytes, requests, carried: Cell::default() }
    }

    /// The next one begins.
    pub(crate) fn begin(&self) {
        self.bytes.set(TURN_BYTES);
        self.requests.set(TURN_REQUESTS);
        self.carried.set(false);
    }

    /// A piece of a message was sent to the client.
    pub(crate) fn carry(&self) {
        self.carried.set(true);
    }

    /// Whether there was one in this turn.
    pub(crate) fn has_carried(&self) -> bool {
        self.carried.get()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.bytes.get() == 0 || self.requests.get() == 0
    }

    /// How many of these bytes are a part of it.
    pub(crate) fn take(&self, bytes: &[u8], frames: &mut Frames) -> usize {
        let taken = frames.follow(&bytes[..bytes.len().min(self.bytes.get())], |head| {
            self.requests.set(self.requests.get() - usize::from(head[3] == HEADERS));
            if self.requests.get() == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.bytes.set(self.bytes.get() - taken);
        taken
    }
}

/// A frame of a stream.
#[cfg(test)]
pub(crate) fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, u8::try_from(payload).expect("a short one"), kind, flags, 0, 0, 0, 1];
    bytes.resize(HEAD + payload, 0xff);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: u8 = 6;

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let bytes = [frame(PING, 0, 8), frame(HEADERS, 5, 3), frame(DATA, 0, 0)].concat();
        for size in 1..=bytes.len() {
            let (mut frames, mut kinds) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(size) {
                frames.follow(piece, |head| {
                    kinds.push(head[3]);
                    ControlFlow::Continue(())
                });
            }
            assert_eq!(kinds, [PING, HEADERS, DATA], "pieces of {size}");
        }
    }

    #[test]
    fn a_turn_ends_with_a_few_requests_or_with_many_bytes_and_the_next_goes_on_from_there() {
        let request = [frame(HEADERS, 5, 20), frame(RST_STREAM, 0, 4)].concat();
        let (turn, mut frames, bytes) = (Turn::new(), Frames::default(), request.repeat(20));
        let (mut rest, mut turns) = (&bytes[..], 0);
        while !rest.is_empty() {
            turn.begin();
            let taken = turn.take(rest, &mut frames);
            assert!(taken > 0 && (turn.is_over() || taken == rest.len()));
            (rest, turns) = (&rest[taken..], turns + 1);
        }
        assert_eq!(turns, 3);
        turn.begin();
        let upload = frame(DATA, 0, 200).repeat(100);
        assert_eq!(turn.take(&upload, &mut frames), TURN_BYTES);
        assert!(turn.is_over());
    }
}
