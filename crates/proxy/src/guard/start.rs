//! The first line of a request, as it comes: what is too much of a method at once, and which bytes of the target have to
//! be escaped (see [`model::must_be_escaped`]).

use model::must_be_escaped;

use crate::error::Refusal;
use crate::field::is_token;

/// Bytes of a method: the longest registered one has 17.
pub(crate) const METHOD_BYTES_MAX: usize = 32;
/// By how much a byte becomes longer that is escaped.
const ESCAPE_ADDS: usize = 2;

/// How far a first line has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    part: Part,
    method: Method,
    /// Bytes by which escapes make the line longer.
    pub(super) added: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Method,
    Target {
        in_query: bool,
    },
    Version,
}

#[derive(Clone, Copy, Debug, Default)]
struct Method {
    bytes: u8,
    has_other_bytes: bool,
}

impl Method {
    fn take(&mut self, byte: u8) -> Result<(), Refusal> {
        self.bytes += 1;
        self.has_other_bytes |= !is_token(byte);
        match self {
            _ if usize::from(self.bytes) <= METHOD_BYTES_MAX => Ok(()),
            Method { has_other_bytes: true, .. } => Err(Refusal::NotHttp),
            _ => Err(Refusal::BadRequest),
        }
    }
}

impl Start {
    /// Follows a piece of the line, which stands at `at` in what was read, and notes where a byte must be escaped.
    pub(super) fn follow(&mut self, piece: &[u8], at: usize, odd: &mut Vec<usize>) -> Result<(), Refusal> {
        for (place, byte) in piece.iter().copied().enumerate() {
            match (self.part, byte) {
                (Part::Method, b' ') => self.part = Part::Target { in_query: false },
                (Part::Method, _) => self.method.take(byte)?,
                (Part::Target { .. }, b' ') => self.part = Part::Version,
                (Part::Target { .. }, b'?') => self.part = Part::Target { in_query: true },
                (Part::Target { in_query }, _) if must_be_escaped(byte, in_query) => {
                    self.added += ESCAPE_ADDS;
                    odd.push(at + place);
                }
                (Part::Target { .. }, _) => {}
                (Part::Version, _) => break,
            }
        }
        Ok(())
    }
}
