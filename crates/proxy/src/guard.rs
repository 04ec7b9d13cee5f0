//! The strict reading of what a client sends, beside hyper's own.
//!
//! hyper accepts some messages that RFC 9112 wants refused, and tells nothing of: lines that end in a bare LF, a
//! `Content-Length` beside `Transfer-Encoding`, a fragment in the target, sloppy chunk lines. What two parsers read
//! differently is how requests are smuggled, so this one follows the framing of every byte before hyper sees it and
//! lets none pass after the last valid one. hyper cannot begin a request before the end of its head has passed, so a
//! bad head is never seen by anything.
//!
//! In two places it is hyper that is too strict. Bytes of a target that must be escaped and have but one meaning are told
//! of, so that they are before hyper sees them. And what a client says behind a head that asks for another protocol is
//! kept until that is decided: it is no request, unless the other protocol is not wanted.
//!
//! Pure: bytes in, a count out. No IO and no clock.

mod chunks;
mod head;
mod start;

use memchr::memchr;

use self::chunks::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, ChunkCost, chunk_size};
use self::head::{Head, Line};
pub(crate) use self::start::METHOD_BYTES_MAX;
use crate::config::Downstream;
use crate::error::Refusal;

/// Bytes of a trailer section; hyper has the same limit.
const TRAILER_BYTES_MAX: usize = 16 << 10;
/// Bytes of a chunk-size line that may still be completed: however a line is cut into reads, it is refused or not.
const CHUNK_LINE_BYTES_MAX: usize = CHUNK_SIZE_DIGITS_MAX + CHUNK_EXTENSION_BYTES_MAX + 1;

/// Follows the framing of one connection's requests.
#[derive(Debug)]
pub(crate) struct Guard {
    state: State,
    /// The beginning of a line that came in an earlier read.
    carry: Vec<u8>,
    /// Where in the last read bytes of a target must be escaped.
    odd: Vec<usize>,
    /// What came behind a head that asks for another protocol, and was not followed yet.
    held: Vec<u8>,
    head: Head,
    limits: Limits,
}

/// What a head may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) line_bytes_max: usize,
    pub(crate) head_bytes_max: usize,
    pub(crate) fields_max: usize,
}

impl Limits {
    pub(crate) fn of(limits: &Downstream) -> Limits {
        Limits {
            line_bytes_max: limits.request_line_bytes_max,
            head_bytes_max: limits.head_bytes_max,
            fields_max: limits.head_fields_max,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// Behind a head without a body that asks for another protocol: it is not decided whose the next byte is.
    Held,
    Body {
        left: u64,
    },
    ChunkSize {
        cost: ChunkCost,
    },
    ChunkData {
        left: u64,
        cost: ChunkCost,
    },
    /// The CRLF after a chunk's data: how many of its two bytes are still to come.
    ChunkEnd {
        left: u8,
        cost: ChunkCost,
    },
    Trailers {
        bytes: usize,
        fields: usize,
    },
    Refused {
        why: Refusal,
        in_body: bool,
    },
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Guard {
        let (carry, odd, held) = Default::default();
        Guard { state: State::Head, carry, odd, held, head: Head::default(), limits }
    }

    /// Follows `bytes` and returns how many of them may pass. If not all may, [`refused`](Guard::refused) says why, and
    /// nothing passes ever after; or the rest [is to be held](Guard::holds).
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Followed {
        let (mut at, mut heads) = (0, 0);
        self.odd.clear();
        while at < bytes.len() {
            let rest = &bytes[at..];
            let step = match self.state {
                State::Head | State::ChunkSize { .. } | State::Trailers { .. } => {
                    self.line(rest, at, &mut heads)
                }
                State::Body { left } => {
                    let (taken, left) = take(rest, left);
                    self.state = if left == 0 { State::Head } else { State::Body { left } };
                    Ok(taken)
                }
                State::ChunkData { left, cost } => {
                    let (taken, left) = take(rest, left);
                    self.state = match left {
                        0 => State::ChunkEnd { left: 2, cost },
                        left => State::ChunkData { left, cost },
                    };
                    Ok(taken)
                }
                State::ChunkEnd { left, cost } => self.chunk_end(rest[0], left, cost),
                State::Held | State::Refused { .. } => break,
            };
            match step {
                Ok(taken) => at += taken,
                Err(why) => {
                    self.state = State::Refused { why, in_body: self.state != State::Head };
                    self.carry = Vec::new();
                }
            }
        }
        Followed { passed: at, heads }
    }

    /// Why nothing passes any more.
    pub(crate) fn refused(&self) -> Option<Refusal> {
        match self.state {
            State::Refused { why, .. } => Some(why),
            _ => None,
        }
    }

    /// Whether what was refused belongs to a request whose head has passed.
    pub(crate) fn refused_in_body(&self) -> bool {
        matches!(self.state, State::Refused { in_body: true, .. })
    }

    /// Where in the bytes that it has followed last one must be escaped, in their order.
    pub(crate) fn odd(&self) -> &[usize] {
        &self.odd
    }

    /// Whether what comes now is to be held, until [`release`](Guard::release).
    pub(crate) fn holds(&self) -> bool {
        self.state == State::Held
    }

    /// What is held, or was and is to be followed now. What is not let pass stands before all that is there.
    pub(crate) fn held(&mut self) -> &mut Vec<u8> {
        &mut self.held
    }

    /// No other protocol is spoken: what is held is a next request.
    pub(crate) fn release(&mut self) {
        if self.holds() {
            self.state = State::Head;
        }
    }

    /// Whether no byte of a next request has come.
    pub(crate) fn at_boundary(&self) -> bool {
        self.state == State::Head && self.head.bytes == 0 && self.carry.is_empty() && self.held.is_empty()
    }

    /// Whether the client has said that its last request is the last one, and has sent all of it.
    pub(crate) fn is_over(&self) -> bool {
        self.head.is_behind_last && self.at_boundary()
    }

    /// Whether a body is under way.
    pub(crate) fn in_body(&self) -> bool {
        !matches!(self.state, State::Head | State::Held | State::Refused { .. })
    }

    /// Whether that is one whose length its head has said.
    pub(crate) fn in_body_of_length(&self) -> bool {
        matches!(self.state, State::Body { .. })
    }

    /// Takes bytes up to the end of a line, and the line if it is complete.
    fn line(&mut self, rest: &[u8], at: usize, heads: &mut u32) -> Result<usize, Refusal> {
        let end = memchr(b'\n', rest);
        if self.state == State::Head && !self.head.line_seen {
            let piece = &rest[..end.map_or(rest.len(), |end| end + 1)];
            self.head.start.follow(piece, at, &mut self.odd)?;
        }
        let Some(end) = end else {
            self.check_partial(self.carry.len() + rest.len())?;
            self.carry.extend_from_slice(rest);
            return Ok(rest.len());
        };
        let taken = end + 1;
        if self.carry.is_empty() {
            self.complete_line(&rest[..taken], heads)?;
        } else {
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(&rest[..taken]);
            self.complete_line(&line, heads)?;
            line.clear();
            self.carry = line;
        }
        Ok(taken)
    }

    fn check_partial(&self, length: usize) -> Result<(), Refusal> {
        match self.state {
            State::ChunkSize { .. } if length > CHUNK_LINE_BYTES_MAX => Err(Refusal::BadFraming),
            State::Trailers { bytes, .. } if bytes + length > TRAILER_BYTES_MAX => Err(Refusal::BadFraming),
            State::Head => self.check_head_size(length),
            _ => Ok(()),
        }
    }

    /// Whether a line that has come so far may stand in a head. What escapes will add to it counts.
    fn check_head_size(&self, length: usize) -> Result<(), Refusal> {
        let length = length + self.head.start.added;
        if !self.head.line_seen && length > self.limits.line_bytes_max {
            return Err(Refusal::LineTooLong);
        }
        if self.head.bytes + length > self.limits.head_bytes_max {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(())
    }

    fn complete_line(&mut self, line: &[u8], heads: &mut u32) -> Result<(), Refusal> {
        match self.state {
            State::ChunkSize { cost } => {
                let (size, extensions) = chunk_size(line)?;
                let cost = cost.with(line.len(), size, extensions)?;
                self.state = match size {
                    0 => State::Trailers { bytes: 0, fields: 0 },
                    left => State::ChunkData { left, cost },
                };
                Ok(())
            }
            State::Trailers { bytes, fields } => {
                let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadFraming)?;
                let bytes = bytes + line.len();
                if bytes > TRAILER_BYTES_MAX || (!content.is_empty() && fields == self.limits.fields_max) {
                    return Err(Refusal::BadFraming);
                }
                let more = State::Trailers { bytes, fields: fields + 1 };
                self.state = if content.is_empty() { State::Head } else { more };
                Ok(())
            }
            _ => {
                self.check_head_size(line.len())?;
                if let Line::EndOfHead = self.head.line(line, self.limits.fields_max)? {
                    *heads += 1;
                    self.state = self.head.framing();
                    self.head = self.head.next();
                }
                Ok(())
            }
        }
    }

    fn chunk_end(&mut self, byte: u8, left: u8, cost: ChunkCost) -> Result<usize, Refusal> {
        self.state = match (left, byte) {
            (2, b'\r') => State::ChunkEnd { left: 1, cost },
            (1, b'\n') => State::ChunkSize { cost },
            _ => return Err(Refusal::BadFraming),
        };
        Ok(1)
    }
}

/// What became of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Bytes that may pass.
    pub(crate) passed: usize,
    /// Heads that ended among them.
    pub(crate) heads: u32,
}

fn take(rest: &[u8], left: u64) -> (usize, u64) {
    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
    (taken, left - taken as u64)
}

#[cfg(test)]
#[path = "guard/tests.rs"]
mod tests;
