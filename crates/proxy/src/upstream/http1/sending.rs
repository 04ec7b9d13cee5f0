//! A request's body on its way into the socket, piece by piece: no more is asked of the client than the endpoint takes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Body;
use tokio::io::AsyncWrite;

use super::head::BodyFraming;
use crate::error::Refusal;
use crate::stream::Stream;
use crate::upstream::RequestBody;

/// Bytes that wait for the socket before no more are asked for.
const WAITING_BYTES_MAX: usize = 64 << 10;
/// Pieces of them, and what frames these: what one system call writes.
const PIECES_MAX: usize = 16;

/// What is still to be written of a request behind its head.
pub(super) struct Sending {
    pieces: VecDeque<Bytes>,
    /// Until its end has come.
    body: Option<RequestBody>,
    framing: BodyFraming,
    /// Whether something of the body has come.
    is_begun: bool,
}

impl Sending {
    pub(super) fn new(body: RequestBody, framing: &BodyFraming) -> Box<Sending> {
        let (pieces, framing) = (VecDeque::new(), framing.clone());
        Box::new(Sending { pieces, body: Some(body), framing, is_begun: false })
    }

    /// What is left of a head that the socket has not taken at once.
    pub(super) fn of_rest(head: &[u8]) -> Box<Sending> {
        let pieces = [Bytes::copy_from_slice(head)].into();
        Box::new(Sending { pieces, body: None, framing: BodyFraming::Length(0), is_begun: true })
    }

    /// Puts what is left of the head before all else.
    pub(super) fn put_first(&mut self, head: &[u8]) {
        self.pieces.push_front(Bytes::copy_from_slice(head));
    }

    /// The body, if nothing of it has come.
    pub(super) fn into_body(self) -> Option<RequestBody> {
        self.body.filter(|_| !self.is_begun)
    }

    /// Whether all was written.
    pub(super) fn is_over(&self) -> bool {
        self.body.is_none() && self.pieces.is_empty()
    }

    pub(super) fn has_pieces(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Asks for more of the body while there is room for it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn fill(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        while let Some(body) = &mut self.body
            && self.pieces.len() + 3 < PIECES_MAX
            && self.pieces.iter().map(Bytes::len).sum::<usize>() < WAITING_BYTES_MAX
        {
            let polled = Pin::new(&mut *body).poll_frame(cx);
            self.is_begun |= polled.is_ready();
            match polled {
                Poll::Ready(Some(frame)) => match frame?.into_data() {
                    Ok(data) => {
                        let is_last = body.is_end_stream();
                        self.put(data);
                        if is_last {
                            self.end(None)?;
                        }
                    }
                    Err(frame) => self.end(frame.into_trailers().ok())?,
                },
                Poll::Ready(None) => self.end(None)?,
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn put(&mut self, mut data: Bytes) {
        if data.is_empty() {
            return;
        }
        match &mut self.framing {
            BodyFraming::Length(left) => {
                // Never more than was announced: it would be taken for the next request.
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
                self.pieces.push_back(data);
                if *left == 0 {
                    self.body = None;
                }
            }
            BodyFraming::Chunked(_) => {
                self.pieces.push_back(format!("{:X}\r\n", data.len()).into());
                self.pieces.extend([data, Bytes::from_static(b"\r\n")]);
            }
        }
    }

    /// The body has ended, with these trailers.
    fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), Refusal> {
        if self.body.take().is_none() {
            return Ok(());
        }
        match &self.framing {
            BodyFraming::Length(0) => Ok(()),
            BodyFraming::Length(_) => Err(Refusal::UpstreamClosed),
            BodyFraming::Chunked(announced) => {
                let mut end = b"0\r\n".to_vec();
                for (name, value) in trailers.iter().flatten().filter(|(name, _)| announced.contains(name)) {
                    end.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
                }
                end.extend_from_slice(b"\r\n");
                self.pieces.push_back(end.into());
                Ok(())
            }
        }
    }

    /// Writes the head and the pieces with one system call.
    pub(super) fn poll_write(
        &self,
        head: &[u8],
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); PIECES_MAX + 1];
        let all = std::iter::once(head).chain(self.pieces.iter().map(|piece| &piece[..]));
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(all.filter(|bytes| !bytes.is_empty())) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        Pin::new(stream).poll_write_vectored(cx, &slices[..count])
    }

    /// These are with the kernel.
    pub(super) fn advance(&mut self, mut bytes: usize) {
        while bytes > 0
            && let Some(first) = self.pieces.front_mut()
        {
            let part = bytes.min(first.len());
            first.advance(part);
            bytes -= part;
            if first.is_empty() {
                self.pieces.pop_front();
            }
        }
    }

    /// Nothing that waits is to be written.
    pub(super) fn skip(&mut self) {
        self.pieces.clear();
    }
}
