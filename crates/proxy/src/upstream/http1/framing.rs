//! Where the body of an answer ends (RFC 9112 §6.3): a piece of what was read goes in, frames come out. Pure.

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::chunked::Chunked;
use super::{Broken, Limits};

/// How the rest of a body is framed.
#[derive(Debug)]
pub(crate) enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Chunked),
    /// It ends with its connection.
    UntilEnd,
}

impl Framing {
    /// There is no body.
    pub(crate) const NONE: Framing = Framing::Length(0);

    /// Whether nothing more comes.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(chunked) => chunked.is_over(),
            Framing::UntilEnd => false,
        }
    }

    /// How long the rest is, as far as that is known.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Framing::Length(left) => SizeHint::with_exact(*left),
            Framing::Chunked(_) | Framing::UntilEnd => SizeHint::default(),
        }
    }

    /// The next frame of what was read, which is taken out of it; none if there is none, or no other.
    ///
    /// # Errors
    /// [`Broken`]: it is framed badly.
    pub(crate) fn next(&mut self, read: &mut Bytes, limits: &Limits) -> Result<Option<Frame<Bytes>>, Broken> {
        if read.is_empty() {
            return Ok(None);
        }
        match self {
            Framing::Length(left) => {
                let bytes = take(read, left);
                Ok((!bytes.is_empty()).then(|| Frame::data(bytes)))
            }
            Framing::Chunked(chunked) => chunked.next(read, limits),
            Framing::UntilEnd => Ok(Some(Frame::data(std::mem::take(read)))),
        }
    }

    /// The connection has ended: whether the body has, too.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        let is_whole = self.is_over() || matches!(self, Framing::UntilEnd);
        *self = Framing::NONE;
        if is_whole { Ok(()) } else { Err(Broken) }
    }
}

/// Takes as much as is left, and there is.
pub(super) fn take(read: &mut Bytes, left: &mut u64) -> Bytes {
    let most = usize::try_from(*left).unwrap_or(usize::MAX);
    let bytes = if read.len() <= most { std::mem::take(read) } else { read.split_to(most) };
    *left -= bytes.len() as u64;
    bytes
}
