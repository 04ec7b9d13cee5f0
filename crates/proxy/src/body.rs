//! Bodies on their way through: frame by frame, without a copy.

mod replay;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

pub(crate) use self::replay::Replay;
use crate::connection::Client;
use crate::error::Refusal;
use crate::request::{Record, headers};
use crate::timer::Wait;
use crate::upstream::Lease;

/// A client's body on its way to an upstream.
pub(crate) struct RequestBody {
    source: Source,
    client: Rc<Client>,
    left: u64,
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
        RequestBody { source: Source::Client(incoming), client, left }
    }

    /// The same, if several attempts may read it.
    pub(crate) fn replayed(replay: &Rc<Replay>, client: Rc<Client>) -> RequestBody {
        let left = client.worker.config.downstream.body_bytes_max;
        RequestBody { source: Source::Replay(Rc::clone(replay), 0), client, left }
    }

    /// Makes several attempts possible, from here on.
    pub(crate) fn into_replay(self) -> (RequestBody, Option<Rc<Replay>>) {
        match self.source {
            Source::Client(incoming) => {
                let replay = Replay::new(incoming);
                (RequestBody::replayed(&replay, self.client), Some(replay))
            }
            source => (RequestBody { source, ..self }, None),
        }
    }

    /// The body of a request that has none.
    pub(crate) fn empty(client: Rc<Client>) -> RequestBody {
        RequestBody { source: Source::Nowhere, client, left: 0 }
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

fn length_of(polled: &Poll<Option<Result<Frame<Bytes>, hyper::Error>>>) -> usize {
    match polled {
        Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
        _ => 0,
    }
}

/// RFC 9110 §6.5.1: a field that frames, routes or authenticates a message has no meaning in a trailer, and a recipient
/// that merges trailers into the head must not be fooled by one.
fn keep_allowed_trailers(frame: &mut Frame<Bytes>) {
    if let Some(trailers) = frame.trailers_mut() {
        let refused: Vec<_> =
            trailers.keys().filter(|name| headers::is_refused_in_trailers(name)).cloned().collect();
        refused.into_iter().for_each(|name| {
            trailers.remove(name);
        });
    }
}

/// A response's body on its way to a client. Dropping it ends the request, however far it came.
pub(crate) enum ResponseBody {
    /// None, before a tunnel.
    None,
    /// Ours.
    Own { text: Option<Bytes>, _record: Record },
    /// An upstream's.
    Relayed(Relay),
}

/// An upstream's body, and the connection that it comes from: who wants the body drives the connection.
pub(crate) struct Relay {
    incoming: Incoming,
    lease: Option<Lease>,
    record: Record,
}

impl Relay {
    pub(crate) fn new(incoming: Incoming, lease: Lease, record: Record) -> Relay {
        let mut relay = Relay { incoming, lease: Some(lease), record };
        if relay.incoming.is_end_stream() {
            relay.finish();
        }
        relay
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if self.lease.as_ref().is_some_and(|lease| lease.place.is_some()) {
            // The connection has a task of its own.
            return Pin::new(&mut self.incoming).poll_frame(cx);
        }
        // Whatever wakes the connection wakes this task, so the body itself needs no waker. Asked first, it lets the
        // connection know that it wants more.
        let mut nobody = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.incoming).poll_frame(&mut nobody) {
            Poll::Pending => {}
            ready => return ready,
        }
        if let Some(exchange) = self.lease.as_mut().and_then(|lease| lease.exchange.as_mut()) {
            exchange.poll(cx);
        }
        Pin::new(&mut self.incoming).poll_frame(&mut nobody)
    }

    /// The body is read to its end: the connection may carry another request.
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            let worker = &self.record.client.worker;
            worker.upstreams.give_back(lease, worker.timers.now());
        }
        self.record.complete();
    }

    fn broken(&mut self, why: Refusal) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        self.record.refused(why);
        self.record.client.abort.set(true);
        Poll::Ready(Some(Err(why)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        let relay = match self.get_mut() {
            ResponseBody::None => return Poll::Ready(None),
            ResponseBody::Own { text, .. } => {
                return Poll::Ready(text.take().map(|text| Ok(Frame::data(text))));
            }
            ResponseBody::Relayed(relay) => relay,
        };
        if !relay.record.client.outbox.has_room() {
            return Poll::Pending;
        }
        let polled = relay.poll(cx);
        let client = &relay.record.client;
        if client.is_stream {
            // Asked for more, the client has taken what came before; what comes now is to be taken, too.
            client.timer.clear(Wait::Write);
            if polled.is_ready() {
                client.timer.set(Wait::Write, client.worker.config.downstream.write_timeout);
            }
        }
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                client.timer.clear(Wait::Upstream);
                keep_allowed_trailers(&mut frame);
                let length = frame.data_ref().map_or(0, Bytes::len);
                relay.record.bytes_out += length as u64;
                if !client.is_stream {
                    client.outbox.put(length);
                }
                if frame.is_trailers() || relay.incoming.is_end_stream() {
                    relay.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                relay.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(_))) => relay.broken(Refusal::ResponseCut),
            Poll::Pending => {
                if !client.is_call.get() {
                    client.timer.start(Wait::Upstream, client.worker.config.upstream.body_timeout);
                }
                if client.timer.expired(Wait::Call) {
                    relay.broken(Refusal::CallTimeout)
                } else if client.timer.expired(Wait::Upstream) {
                    relay.broken(Refusal::ResponseStalled)
                } else {
                    Poll::Pending
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ResponseBody::None => true,
            ResponseBody::Own { text, .. } => text.is_none(),
            ResponseBody::Relayed(relay) => relay.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::None => SizeHint::with_exact(0),
            ResponseBody::Own { text, .. } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            ResponseBody::Relayed(relay) => relay.incoming.size_hint(),
        }
    }
}
