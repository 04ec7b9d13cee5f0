//! The body of an answer, in flight until its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Held;

pin_project! {
    /// The service's body, and the note that it is in flight: until its end, or until it is dropped because the rest
    /// is not wanted.
    #[derive(Debug)]
    pub struct ExitBody<B> {
        #[pin]
        inner: B,
        held: Option<Held>,
    }
}

impl<B> ExitBody<B> {
    pub(super) fn new(inner: B, held: Held) -> ExitBody<B> {
        ExitBody { inner, held: Some(held) }
    }
}

impl<B: Body> Body for ExitBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            *this.held = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
