//! The strict reading of what a client sends, beside hyper's own.
//!
//! hyper accepts some messages that RFC 9112 wants refused, and tells nobody: lines that end in a bare LF, a
//! `Content-Length` beside `Transfer-Encoding`, a fragment in the target, sloppy chunk lines. What two parsers read
//! differently is how requests are smuggled, so this one follows the framing of every byte before hyper sees it and
//! lets none pass after the last valid one. hyper cannot begin a request before the end of its head has passed, so a
//! bad head is never seen by anybody.
//!
//! Pure: bytes in, a count out. No IO and no clock.

mod chunks;
mod head;

use memchr::memchr;

use self::chunks::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, ChunkCost, chunk_size};
pub(crate) use self::head::{FIELDS_MAX, METHOD_BYTES_MAX};
use self::head::{Head, Line};
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
    head: Head,
    limits: Limits,
}

/// What a head may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) line_bytes_max: usize,
    pub(crate) head_bytes_max: usize,
}

impl Limits {
    pub(crate) fn of(limits: &Downstream) -> Limits {
        Limits { line_bytes_max: limits.request_line_bytes_max, head_bytes_max: limits.head_bytes_max }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
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
    },
    Refused {
        why: Refusal,
        in_body: bool,
    },
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Guard {
        Guard { state: State::Head, carry: Vec::new(), head: Head::default(), limits }
    }

    /// Follows `bytes` and returns how many of them may pass. If not all may, [`refused`](Guard::refused) says why, and
    /// nothing passes ever after.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Followed {
        let (mut at, mut heads) = (0, 0);
        while at < bytes.len() {
            let rest = &bytes[at..];
            let step = match self.state {
                State::Head | State::ChunkSize { .. } | State::Trailers { .. } => self.line(rest, &mut heads),
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
                State::Refused { .. } => break,
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

    /// Whether no byte of a next request has come.
    pub(crate) fn at_boundary(&self) -> bool {
        self.state == State::Head && self.head.bytes == 0 && self.carry.is_empty()
    }

    /// Whether a body is under way.
    pub(crate) fn in_body(&self) -> bool {
        !matches!(self.state, State::Head | State::Refused { .. })
    }

    /// Whether that is one whose length its head has said.
    pub(crate) fn in_body_of_length(&self) -> bool {
        matches!(self.state, State::Body { .. })
    }

    /// Takes bytes up to the end of a line, and the line if it is complete.
    fn line(&mut self, rest: &[u8], heads: &mut u32) -> Result<usize, Refusal> {
        let Some(end) = memchr(b'\n', rest) else {
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
            State::Trailers { bytes } if bytes + length > TRAILER_BYTES_MAX => Err(Refusal::BadFraming),
            State::Head => self.check_head_size(length),
            _ => Ok(()),
        }
    }

    fn check_head_size(&self, length: usize) -> Result<(), Refusal> {
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
                    0 => State::Trailers { bytes: 0 },
                    left => State::ChunkData { left, cost },
                };
                Ok(())
            }
            State::Trailers { bytes } => {
                let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadFraming)?;
                let bytes = bytes + line.len();
                if bytes > TRAILER_BYTES_MAX {
                    return Err(Refusal::BadFraming);
                }
                self.state = if content.is_empty() { State::Head } else { State::Trailers { bytes } };
                Ok(())
            }
            _ => {
                self.check_head_size(line.len())?;
                if let Line::EndOfHead = self.head.line(line)? {
                    *heads += 1;
                    self.state = self.head.framing();
                    self.head = Head::default();
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
