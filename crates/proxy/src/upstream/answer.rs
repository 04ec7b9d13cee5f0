//! An endpoint's answer: its head, and the body behind it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::http1::{Broken, Framing};
use super::pool::Lease;

/// The head of an answer, and what its body is read by.
pub(crate) type Answered = Response<AnswerBody>;

/// The body of an answer.
pub(crate) enum AnswerBody {
    /// It comes on the connection of HTTP/1 that is leased.
    Framed(Framing),
    /// It comes on a stream of HTTP/2.
    Stream(Incoming),
}

impl AnswerBody {
    /// The next frame. With HTTP/1 to want it is to drive the connection.
    pub(crate) fn poll_frame(
        &mut self,
        lease: Option<&mut Lease>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self {
            AnswerBody::Stream(incoming) => {
                Pin::new(incoming).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(|_| Broken)))
            }
            AnswerBody::Framed(framing) => match lease.and_then(|lease| lease.connection.as_mut()) {
                Some(connection) => connection.poll_frame(framing, cx),
                None => Poll::Ready(None),
            },
        }
    }

    /// Whether nothing more comes.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Framed(framing) => framing.is_over(),
            AnswerBody::Stream(incoming) => incoming.is_end_stream(),
        }
    }

    /// How long the rest is, as far as that is known.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Framed(framing) => framing.size_hint(),
            AnswerBody::Stream(incoming) => incoming.size_hint(),
        }
    }
}
