//! A client's body on its way to an upstream, frame by frame, without a copy.

mod replay;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

pub(crate) use self::replay::Replay;
use super::http2::OpenStream;
use crate::client::Carrier;
use crate::error::Refusal;
use crate::headers::trailers::{keep_allowed_trailers, remove_trailers};

/// A client's body on its way to an upstream.
pub(crate) struct RequestBody {
    source: Source,
    carrier: Carrier,
    left: u64,
    /// The endpoint's stream, which is open as long as it is read.
    held: Option<Rc<OpenStream>>,
}

/// Where it comes from.
enum Source {
    /// There is none.
    Nowhere,
    /// From the client, once.
    Client(Incoming),
    /// From the client, and again for another attempt; this one has come so far.
    Replay(Rc<Replay>, usize),
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Source::Nowhere => Poll::Ready(None),
            Source::Client(incoming) => Pin::new(incoming).poll_frame(cx),
            Source::Replay(replay, at) => {
                let polled = replay.poll_frame(*at, cx);
                if let Poll::Ready(Some(Ok(_))) = &polled {
                    // Where nothing is kept any more each attempt but the present one is over.
                    *at += usize::from(replay.is_whole());
                }
                polled
            }
        }
    }
}

impl RequestBody {
    /// One that may have so many bytes.
    pub(crate) fn new(incoming: Incoming, carrier: Carrier, left: u64) -> RequestBody {
        RequestBody { source: Source::Client(incoming), carrier, left, held: None }
    }

    /// The same, if several attempts may read it.
    pub(crate) fn replayed(replay: &Rc<Replay>, carrier: Carrier) -> RequestBody {
        let left = replay.bytes_max();
        RequestBody { source: Source::Replay(Rc::clone(replay), 0), carrier, left, held: None }
    }

    /// Makes several attempts possible, from here on.
    pub(crate) fn into_replay(mut self) -> (RequestBody, Option<Rc<Replay>>) {
        match std::mem::replace(&mut self.source, Source::Nowhere) {
            Source::Client(incoming) => {
                let replay = Replay::new(incoming, self.carrier.clone(), self.left);
                (RequestBody::replayed(&replay, self.carrier.clone()), Some(replay))
            }
            source => {
                self.source = source;
                (self, None)
            }
        }
    }

    /// The body of a request that has none.
    pub(crate) fn empty(carrier: Carrier) -> RequestBody {
        RequestBody { source: Source::Nowhere, carrier, left: 0, held: None }
    }

    /// Keeps a stream open for as long as the body lasts.
    pub(super) fn hold(&mut self, held: Option<Rc<OpenStream>>) {
        self.held = held;
    }

    /// A frame has come, or the end: as long as the upstream has not answered, its time to do so, or to take the next one, begins
    /// anew.
    fn progress(&self) {
        if self.carrier.request().is_answered.get() {
            return;
        }
        if self.carrier.request().body_unread.get() {
            self.carrier.await_taking();
        } else {
            self.carrier.await_head();
        }
        self.carrier.await_answer();
    }

    /// Nothing comes.
    fn wait(&self) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        if self.carrier.is_out_of_patience() { self.fail(Refusal::BodyTimeout) } else { Poll::Pending }
    }

    fn fail(&self, why: Refusal) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        // The guard and the deadlines know better than hyper why a body ended early.
        let why = self.carrier.fault().unwrap_or(why);
        self.carrier.fail(why);
        Poll::Ready(Some(Err(why)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        let polled = self.source.poll_frame(cx);
        if polled.is_ready() {
            self.carrier.earn_patience(length_of(&polled));
        }
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(data) = frame.data_ref() {
                    let length = data.len() as u64;
                    if length > self.left {
                        return self.fail(Refusal::BodyTooLarge);
                    }
                    self.left -= length;
                }
                // After trailers no more is asked for.
                if frame.is_trailers() || self.is_end_stream() {
                    self.carrier.request().body_unread.set(false);
                }
                self.progress();
                keep_allowed_trailers(&mut frame);
                remove_trailers(&mut frame, |_| self.carrier.request().drops_trailers.get());
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => self.fail(Refusal::ClientGone),
            Poll::Ready(None) => {
                self.carrier.request().body_unread.set(false);
                self.progress();
                Poll::Ready(None)
            }
            Poll::Pending => self.wait(),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Nowhere => true,
            Source::Client(incoming) => incoming.is_end_stream(),
            Source::Replay(replay, at) => replay.is_end_stream(*at),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Nowhere => SizeHint::with_exact(0),
            Source::Client(incoming) => incoming.size_hint(),
            Source::Replay(replay, at) => replay.size_hint(*at),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Source::Client(unread) = std::mem::replace(&mut self.source, Source::Nowhere) {
            self.carrier.leave_unread(unread);
        }
    }
}

fn length_of(polled: &Poll<Option<Result<Frame<Bytes>, hyper::Error>>>) -> usize {
    match polled {
        Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
        _ => 0,
    }
}
