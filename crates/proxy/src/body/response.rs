//! A response's body on its way to a client.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::keep_allowed_trailers;
use crate::error::Refusal;
use crate::request::Record;
use crate::respond;
use crate::timer::Wait;
use crate::upstream::Lease;

/// A response's body on its way to a client. Dropping it ends the request, however far it came.
pub(crate) enum ResponseBody {
    /// None, before a tunnel.
    None,
    /// Ours.
    Own { text: Option<Bytes>, _record: Record },
    /// None, to a request or with a status that allows none. A 304 says how long the body of a 200 would be (RFC 9110
    /// §8.6), and hyper writes that over HTTP/1 only if there is a body that says the same; it then asks for none of it.
    Absent { length: Option<u64>, _record: Record },
    /// An upstream's.
    Relayed(Relay),
}

/// An upstream's body, and the connection that it comes from: who wants the body drives the connection.
pub(crate) struct Relay {
    incoming: Incoming,
    lease: Option<Lease>,
    record: Record,
    /// Its client looks for a status behind it.
    is_call: bool,
}

impl ResponseBody {
    /// The end of an answer that has no body, whatever its endpoint still says on an HTTP/2 stream.
    pub(crate) fn absent(length: Option<u64>, lease: Lease, mut record: Record) -> ResponseBody {
        let worker = &record.client.worker;
        worker.upstreams.give_back(lease, worker.timers.now());
        record.complete();
        ResponseBody::Absent { length, _record: record }
    }
}

impl Relay {
    /// `is_call`: it answers a call of gRPC, and is as long as it happens to be.
    pub(crate) fn new(incoming: Incoming, lease: Lease, record: Record, is_call: bool) -> Relay {
        let mut relay = Relay { incoming, lease: Some(lease), record, is_call };
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
            // With HTTP/2 nothing is asked for without a window.
            if self.record.client.is_stream || self.record.client.outbox.keeps_pace() {
                exchange.keep_step();
            }
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

    /// The body will not be whole, and whoever gets it must see that. A client of gRPC reads why: of a reset it would think that
    /// the endpoint is at fault, and not try again.
    fn broken(&mut self, why: Refusal) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        self.record.refused(why);
        self.record.client.abort.set(true);
        let end = if self.is_call { Ok(Frame::trailers(respond::call_status(why))) } else { Err(why) };
        Poll::Ready(Some(end))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        let relay = match self.get_mut() {
            ResponseBody::None | ResponseBody::Absent { .. } => return Poll::Ready(None),
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
            // Asked for more, there is room again; what comes now is to be taken, too.
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
            ResponseBody::Absent { length, .. } => length.is_none(),
            ResponseBody::Relayed(relay) => relay.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::None => SizeHint::with_exact(0),
            ResponseBody::Absent { length, .. } => SizeHint::with_exact(length.unwrap_or_default()),
            ResponseBody::Own { text, .. } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            ResponseBody::Relayed(relay) => relay.incoming.size_hint(),
        }
    }
}
