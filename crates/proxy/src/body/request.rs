//! A client's body on its way to an upstream.

use std::any::Any;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{Replay, keep_allowed_trailers};
use crate::connection::Client;
use crate::error::Refusal;
use crate::timer::Wait;

/// A client's body on its way to an upstream.
pub(crate) struct RequestBody {
    source: Source,
    client: Rc<Client>,
    left: u64,
    /// What lasts as long as it does.
    held: Option<Rc<dyn Any>>,
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
    pub(crate) fn new(incoming: Incoming, client: Rc<Client>) -> RequestBody {
        let left = client.worker.config.downstream.body_bytes_max;
        RequestBody { source: Source::Client(incoming), client, left, held: None }
    }

    /// The same, if several attempts may read it.
    pub(crate) fn replayed(replay: &Rc<Replay>, client: Rc<Client>) -> RequestBody {
        let left = client.worker.config.downstream.body_bytes_max;
        RequestBody { source: Source::Replay(Rc::clone(replay), 0), client, left, held: None }
    }

    /// Makes several attempts possible, from here on.
    pub(crate) fn into_replay(mut self) -> (RequestBody, Option<Rc<Replay>>) {
        match std::mem::replace(&mut self.source, Source::Nowhere) {
            Source::Client(incoming) => {
                let replay = Replay::new(incoming, Rc::clone(&self.client));
                (RequestBody::replayed(&replay, Rc::clone(&self.client)), Some(replay))
            }
            source => {
                self.source = source;
                (self, None)
            }
        }
    }

    /// The body of a request that has none.
    pub(crate) fn empty(client: Rc<Client>) -> RequestBody {
        RequestBody { source: Source::Nowhere, client, left: 0, held: None }
    }

    /// Keeps something for as long as the body lasts.
    pub(crate) fn hold(&mut self, held: Option<Rc<dyn Any>>) {
        self.held = held;
    }

    /// A frame has come: as long as the upstream has not answered, its time to do so begins anew.
    fn progress(&self) {
        if self.client.responses.get() == self.client.requests.get() {
            return;
        }
        self.client.await_head();
        self.client.timer.set(Wait::Request, self.client.worker.config.max_request_time);
    }

    /// Nothing comes. With HTTP/1 the socket knows how long that may last; with HTTP/2 each body has its own time.
    fn wait(&self) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        let client = &self.client;
        // Once it is answered, the endpoint's silence is what counts. In a call of gRPC a client may only listen.
        if !client.is_stream || client.is_call.get() || client.responses.get() == client.requests.get() {
            return Poll::Pending;
        }
        client.patience.wait(&client.timer, client.worker.timers.now());
        if !client.timer.expired(Wait::Client) {
            return Poll::Pending;
        }
        client.fault.set(Some(Refusal::BodyTimeout));
        self.fail(Refusal::BodyTimeout)
    }

    fn fail(&self, why: Refusal) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        // The guard and the deadlines know better than hyper why a body ended early.
        let why = self.client.fault_of_request().unwrap_or(why);
        self.client.fault.set(Some(why));
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
        if self.client.is_stream && polled.is_ready() {
            let Client { patience, timer, worker, .. } = &*self.client;
            patience.earn(length_of(&polled), timer, worker.timers.now(), &worker.config.downstream);
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
                // Nobody asks for more after trailers.
                if frame.is_trailers() || self.is_end_stream() {
                    self.client.body_unread.set(false);
                }
                self.progress();
                keep_allowed_trailers(&mut frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => self.fail(Refusal::ClientGone),
            Poll::Ready(None) => {
                self.client.body_unread.set(false);
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
            self.client.leave_unread(unread);
        }
    }
}

fn length_of(polled: &Poll<Option<Result<Frame<Bytes>, hyper::Error>>>) -> usize {
    match polled {
        Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
        _ => 0,
    }
}
