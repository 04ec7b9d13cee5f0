//! Frames of HTTP/2 (RFC 9113 §4 and §6).

use anyhow::{Result, ensure};

pub(crate) use test_support::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
};

use crate::wire::Rest;

/// SETTINGS_INITIAL_WINDOW_SIZE: as large as it may be.
const WIDE_STREAMS: [u8; 6] = [0, 4, 0x7f, 0xff, 0xff, 0xff];
/// What the window of a connection is made larger by, once, and again whenever half of it is used.
const WIDER: u32 = 0x7000_0000;
const HEAD_BYTES: usize = 9;

pub(crate) struct Frame<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM > 0
    }

    /// By how much a WINDOW_UPDATE makes a window larger.
    pub(crate) fn increment(&self) -> u32 {
        self.payload.try_into().map_or(0, u32::from_be_bytes)
    }
}

/// Adds a frame.
pub(crate) fn add(to: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    to.extend_from_slice(&[length[1], length[2], length[3], kind, flags]);
    to.extend_from_slice(&stream.to_be_bytes());
    to.extend_from_slice(payload);
}

/// The first frames of either side: windows so wide that the other side never waits.
pub(crate) fn begin(to: &mut Vec<u8>) {
    add(to, SETTINGS, 0, 0, &WIDE_STREAMS);
    add(to, WINDOW_UPDATE, 0, 0, &WIDER.to_be_bytes());
}

/// What comes in, cut into frames.
#[derive(Default)]
pub(crate) struct Frames {
    rest: Rest,
    /// Bytes of DATA since the window was made wider.
    used: u32,
}

impl Frames {
    /// Gives each frame that is complete to `take`, but answers those that any side answers in the same way itself.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut take: impl FnMut(&Frame<'_>, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let Frames { rest, used } = self;
        rest.receive(bytes, |bytes| {
            let Some(frame) = cut(bytes) else { return Ok(None) };
            match frame.kind {
                SETTINGS if frame.flags & ACK == 0 => add(out, SETTINGS, ACK, 0, &[]),
                PING if frame.flags & ACK == 0 => add(out, PING, ACK, 0, frame.payload),
                DATA => *used += frame.payload.len() as u32,
                _ => {}
            }
            if *used > WIDER / 2 {
                add(out, WINDOW_UPDATE, 0, 0, &std::mem::take(used).to_be_bytes());
            }
            ensure!(frame.kind != HEADERS || frame.flags & END_HEADERS > 0, "a head in several frames");
            take(&frame, out)?;
            Ok(Some(HEAD_BYTES + frame.payload.len()))
        })
    }
}

fn cut(bytes: &[u8]) -> Option<Frame<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let [a, b, c, kind, flags, stream @ ..] = *head;
    let payload = rest.get(..u32::from_be_bytes([0, a, b, c]) as usize)?;
    Some(Frame { kind, flags, stream: u32::from_be_bytes(stream) & 0x7fff_ffff, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_however_they_are_cut_into_reads() {
        let mut bytes = Vec::new();
        for (stream, length) in [(1, 0), (3, 700), (5, 3)] {
            add(&mut bytes, DATA, END_STREAM, stream, &vec![7; length]);
        }
        for size in [1, 5, 9, 300, bytes.len()] {
            let (mut frames, mut seen) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(size) {
                let mut take = |frame: &Frame<'_>, _: &mut Vec<u8>| {
                    seen.push((frame.stream, frame.payload.len()));
                    Ok(())
                };
                frames.receive(piece, &mut Vec::new(), &mut take).unwrap();
            }
            assert_eq!(seen, [(1, 0), (3, 700), (5, 3)]);
        }
    }
}
