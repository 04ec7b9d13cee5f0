//! A client of HTTP/2 is cut if, and only if, it sends more frames that carry nothing than it may, or a head without an
//! end; its requests are handed on whole, in turns; and how what it sends is cut into reads changes nothing.

use proxy::fuzzing::{Allowance, passed, turns};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What the tests of a property may send; the proxy's own default is a hundred times that.
const MAX: u32 = 10;
/// What a turn may have (RFC 9113 §6.2 has the type).
const TURN_BYTES_MAX: usize = 16 << 10;
const TURN_REQUESTS_MAX: usize = 8;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// What a field block may have here.
const BLOCK_BYTES_MAX: usize = 1000;

/// Checks it.
pub fn check(data: &[u8]) {
    let whole = [PREFACE, data].concat();
    let frames = frames(data);
    allowance(&whole, &frames);
    let expected = held_from(&frames).map(|at| PREFACE.len() + at.unwrap_or(data.len()));
    for size in [1, 7, 9, 100, whole.len()] {
        assert_eq!(passed(&whole, size, BLOCK_BYTES_MAX), expected, "in pieces of {size}");
    }
    let turns = turns(&whole);
    assert_eq!(turns.concat(), whole, "bytes were lost");
    assert!(turns.iter().all(|turn| !turn.is_empty() && turn.len() <= TURN_BYTES_MAX));
    let mut end = 0;
    for turn in turns {
        let begin = end;
        end += turn.len();
        let is_here = |frame: &&Frame| (begin..end).contains(&(PREFACE.len() + frame.at + 8));
        let requests = frames.iter().filter(is_here).filter(|frame| frame.kind == HEADERS).count();
        assert!(requests <= TURN_REQUESTS_MAX, "{requests} requests in a turn");
    }
}

/// A client that sends little is never cut; one that sends much more than it may and can have earned is; in whatever pieces.
fn allowance(whole: &[u8], frames: &[Frame]) {
    let is_cut = !Allowance::new(MAX).receive(whole);
    let (mut spent, mut earned) = (0, 0);
    for frame in frames {
        match frame.price() {
            0 => earned += 4,
            price => spent += price,
        }
        if spent >= MAX + earned {
            assert!(is_cut, "{spent} were spent and {earned} earned");
        }
    }
    assert!(!is_cut || spent >= MAX, "only {spent} were spent");
    for size in [1, 7, 9, 100] {
        let mut allowance = Allowance::new(MAX);
        let cut = whole.chunks(size).any(|piece| !allowance.receive(piece));
        assert_eq!(cut, is_cut, "in pieces of {size}");
    }
}

/// Where a field block begins that is not whole, if there is one at the end; None if one is too large.
fn held_from(frames: &[Frame]) -> Option<Option<usize>> {
    let mut open: Option<(usize, usize)> = None;
    for frame in frames {
        let ends = frame.flags & END_HEADERS != 0;
        open = match open {
            None if frame.kind == HEADERS && !ends => Some((frame.at + 9, frame.length)),
            Some((at, bytes)) if frame.kind == CONTINUATION && !ends => Some((at, bytes + frame.length)),
            _ => None,
        };
        if open.is_some_and(|(_, bytes)| bytes > BLOCK_BYTES_MAX) {
            return None;
        }
    }
    Some(open.map(|(at, _)| at))
}

/// A frame whose head is whole.
struct Frame {
    at: usize,
    kind: u8,
    flags: u8,
    length: usize,
}

impl Frame {
    fn price(&self) -> u32 {
        match (self.kind, self.length, self.flags & 1) {
            (HEADERS, ..) | (0, 1.., _) | (0, 0, 1) => 0,
            (3, ..) => 9,
            _ => 1,
        }
    }
}

/// RFC 9113 §4.1.
fn frames(data: &[u8]) -> Vec<Frame> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some(&[a, b, c, kind, flags, ..]) = data.get(at..at + 9) {
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        frames.push(Frame { at, kind, flags, length });
        at += 9 + length;
    }
    frames
}
