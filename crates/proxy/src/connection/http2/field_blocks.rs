//! Field blocks (RFC 9113 §4.3): a head may come in more than one frame. It is handed on once its last frame has begun.
//! Until then h2 would decode each of them, of which a head without an end has very many (CVE-2024-27316).
//!
//! Pure: bytes in, a number of bytes out. Only the heads of frames are looked at.

use std::ops::ControlFlow;

use crate::frames::{CONTINUATION, END_HEADERS, Frames, HEAD, HEADERS, length};

/// Tells what belongs to a block that is not whole.
#[derive(Debug)]
pub(crate) struct FieldBlocks {
    frames: Frames,
    /// Bytes of the block that has begun and not ended, as far as its frames have said.
    open: Option<usize>,
    max: usize,
}

/// A block is larger than any that could be served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl FieldBlocks {
    /// Those of a client, from the preface on. A block of several frames may have so many bytes.
    pub(crate) fn of_a_client(max: usize) -> FieldBlocks {
        FieldBlocks { frames: Frames::of_a_client(), open: None, max }
    }

    /// How many of these bytes may be handed on, behind all that were held before. None: then those are still held.
    ///
    /// # Errors
    /// If there is nothing to wait for.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Result<usize, TooLarge> {
        let FieldBlocks { frames, open, max } = self;
        let mut passed = open.map(|_| 0);
        frames.follow(bytes, |head, at| {
            *open = continued(*open, head);
            passed = open.map(|_| passed.unwrap_or(at));
            if open.is_some_and(|bytes| bytes > *max) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match open {
            Some(bytes) if *bytes > *max => Err(TooLarge),
            _ => Ok(passed.unwrap_or(bytes.len())),
        }
    }
}

/// The block that is open after this frame. What must not stand in its middle (§6.10) ends it too: h2 will say what is
/// wrong.
fn continued(open: Option<usize>, head: &[u8; HEAD]) -> Option<usize> {
    let more = (head[4] & END_HEADERS == 0).then(|| length(head));
    match (open, head[3]) {
        (None, HEADERS) => more,
        (Some(bytes), CONTINUATION) => more.map(|more| bytes + more),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{DATA, frame};

    /// Blocks of at most 100 bytes, after the preface.
    fn blocks() -> FieldBlocks {
        let mut blocks = FieldBlocks::of_a_client(100);
        assert_eq!(blocks.follow(crate::frames::PREFACE), Ok(24));
        blocks
    }

    #[test]
    fn what_is_whole_passes_and_a_block_is_held_until_its_last_frame_begins() {
        let mut blocks = blocks();
        let whole = [frame(HEADERS, END_HEADERS, 60), frame(DATA, 0, 200)].concat();
        assert_eq!(blocks.follow(&whole), Ok(whole.len()));
        let begun = [whole.clone(), frame(HEADERS, 0, 60)].concat();
        assert_eq!(blocks.follow(&begun), Ok(whole.len() + HEAD));
        assert_eq!(blocks.follow(&frame(CONTINUATION, 0, 30)), Ok(0));
        let ended = [frame(CONTINUATION, 0, 10), frame(CONTINUATION, END_HEADERS, 200), whole].concat();
        assert_eq!(blocks.follow(&ended), Ok(ended.len()));
    }

    #[test]
    fn what_passes_does_not_depend_on_how_it_is_cut() {
        let bytes = [
            frame(HEADERS, 0, 60),
            frame(CONTINUATION, END_HEADERS, 20),
            frame(HEADERS, END_HEADERS, 5),
            frame(HEADERS, 0, 7),
            frame(CONTINUATION, 0, 9),
        ]
        .concat();
        let held = 7 + HEAD + 9;
        for size in 1..=bytes.len() {
            let (mut blocks, mut passed, mut seen) = (blocks(), 0, 0);
            for piece in bytes.chunks(size) {
                match blocks.follow(piece) {
                    Ok(0) => {}
                    Ok(now) => passed = seen + now,
                    Err(TooLarge) => panic!("pieces of {size}"),
                }
                seen += piece.len();
            }
            assert_eq!(passed, bytes.len() - held, "pieces of {size}");
        }
    }

    #[test]
    fn a_block_without_an_end_is_too_large_and_one_that_is_interrupted_is_not_held() {
        let mut endless = blocks();
        assert_eq!(endless.follow(&frame(HEADERS, 0, 60)), Ok(HEAD));
        assert_eq!(endless.follow(&frame(CONTINUATION, 0, 40)), Ok(0));
        assert_eq!(endless.follow(&frame(CONTINUATION, 0, 1)[..HEAD]), Err(TooLarge));
        let interrupted = [frame(HEADERS, 0, 60), frame(DATA, 0, 7), frame(CONTINUATION, 0, 90)].concat();
        assert_eq!(blocks().follow(&interrupted), Ok(interrupted.len()));
    }
}
