//! Where frames begin in a stream of bytes.

use std::ops::ControlFlow;

/// How a connection with prior knowledge begins (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's head (RFC 9113 §4.1).
pub(crate) const HEAD: usize = 9;
/// Types of frames (RFC 9113 §6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
/// The flag of an answer to SETTINGS.
pub(crate) const ACK: u8 = 1;
/// The flag of a stream's last frame.
pub(crate) const END_STREAM: u8 = 1;
/// The flag of a field block's last frame.
pub(crate) const END_HEADERS: u8 = 4;

/// Finds the heads of frames. Only these are looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    /// Bytes up to the next head.
    skip: usize,
    head: [u8; HEAD],
    /// Bytes of the head that have come.
    filled: usize,
    has_begun: bool,
}

impl Frames {
    /// What a client sends, from the preface on.
    pub(crate) fn of_a_client() -> Frames {
        Frames { skip: PREFACE.len(), ..Frames::default() }
    }

    /// Whether what comes next is a head.
    pub(crate) fn are_at_boundary(&self) -> bool {
        self.skip == 0 && self.filled == 0
    }

    /// Shows each head, with how many bytes were looked at by then, until that is enough; and returns how many it were.
    pub(crate) fn follow(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8; HEAD], usize) -> ControlFlow<()>,
    ) -> usize {
        let mut rest = bytes;
        self.has_begun |= !bytes.is_empty();
        while !rest.is_empty() {
            let skipped = self.skip.min(rest.len());
            (self.skip, rest) = (self.skip - skipped, &rest[skipped..]);
            let taken = (HEAD - self.filled).min(rest.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&rest[..taken]);
            (self.filled, rest) = (self.filled + taken, &rest[taken..]);
            if self.filled == HEAD {
                (self.skip, self.filled) = (length(&self.head), 0);
                if each(&self.head, bytes.len() - rest.len()).is_break() {
                    break;
                }
            }
        }
        bytes.len() - rest.len()
    }

    /// Whether there were any bytes.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether a frame has ended and no other has begun.
    pub(crate) fn is_between(&self) -> bool {
        self.skip == 0 && self.filled == 0
    }
}

/// The stream that a frame with this head belongs to.
pub(crate) fn stream(head: &[u8; HEAD]) -> u32 {
    u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & (u32::MAX >> 1)
}

/// Bytes of what follows this head.
pub(crate) fn length(head: &[u8; HEAD]) -> usize {
    u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize
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
                frames.follow(piece, |head, _| {
                    kinds.push(head[3]);
                    ControlFlow::Continue(())
                });
            }
            assert_eq!(kinds, [PING, HEADERS, DATA], "pieces of {size}");
        }
    }
}
