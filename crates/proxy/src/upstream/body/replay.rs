//! The beginning of a client's body, kept so that it can be sent again where the first endpoint has refused it unseen, or
//! has died of it and it may be sent twice.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::client::Carrier;

/// Bytes of a body that are kept; of a longer one nothing is, and it cannot be sent again. Enough for a call of gRPC.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// A body that several attempts read one after the other, each from its beginning.
pub(crate) struct Replay {
    /// There until it is dropped.
    incoming: RefCell<Option<Incoming>>,
    carrier: Carrier,
    bytes_max: u64,
    kept: RefCell<Vec<Kept>>,
    kept_bytes: Cell<usize>,
    /// Whether all that was read is kept.
    whole: Cell<bool>,
}

/// A frame, which can be handed out again.
enum Kept {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl Kept {
    fn of(frame: &Frame<Bytes>) -> Kept {
        match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Kept::Data(data.clone()),
            (None, trailers) => Kept::Trailers(trailers.cloned().unwrap_or_default()),
        }
    }

    fn frame(&self) -> Frame<Bytes> {
        match self {
            Kept::Data(data) => Frame::data(data.clone()),
            Kept::Trailers(trailers) => Frame::trailers(trailers.clone()),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Kept::Data(data) => data.len(),
            // At least as much as is worth counting.
            Kept::Trailers(trailers) => trailers.len() << 6,
        }
    }
}

impl Replay {
    /// One that may have so many bytes.
    pub(crate) fn new(incoming: Incoming, carrier: Carrier, bytes_max: u64) -> Rc<Replay> {
        let (incoming, kept) = (RefCell::new(Some(incoming)), RefCell::default());
        Rc::new(Replay {
            incoming,
            carrier,
            bytes_max,
            kept,
            kept_bytes: Cell::new(0),
            whole: Cell::new(true),
        })
    }

    /// Bytes that it may have.
    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Whether all of a body of this length is kept.
    pub(crate) fn keeps(length: &SizeHint) -> bool {
        length.upper().is_some_and(|most| most <= KEPT_BYTES_MAX as u64)
    }

    /// Whether another attempt can still read it from its beginning.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.get()
    }

    /// The frame at this place: one that is kept, or the next that comes.
    pub(crate) fn poll_frame(
        &self,
        at: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(kept) = self.kept.borrow().get(at) {
            return Poll::Ready(Some(Ok(kept.frame())));
        }
        let Some(incoming) = &mut *self.incoming.borrow_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(incoming).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.keep(frame);
        }
        polled
    }

    fn keep(&self, frame: &Frame<Bytes>) {
        if !self.whole.get() {
            return;
        }
        let kept = Kept::of(frame);
        self.kept_bytes.set(self.kept_bytes.get() + kept.bytes());
        if self.kept_bytes.get() <= KEPT_BYTES_MAX {
            self.kept.borrow_mut().push(kept);
        } else {
            self.whole.set(false);
            self.kept.take();
        }
    }

    pub(crate) fn is_end_stream(&self, at: usize) -> bool {
        at >= self.kept.borrow().len() && self.incoming.borrow().as_ref().is_none_or(Incoming::is_end_stream)
    }

    /// Of what is left from this place on.
    pub(crate) fn size_hint(&self, at: usize) -> SizeHint {
        let rest: usize = self.kept.borrow().iter().skip(at).map(Kept::bytes).sum();
        let mut hint = self.incoming.borrow().as_ref().map(Incoming::size_hint).unwrap_or_default();
        let rest = rest as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.incoming.take().into_iter().for_each(|unread| self.carrier.leave_unread(unread));
    }
}
