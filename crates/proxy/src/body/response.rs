//! A response's body on its way to a client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use model::Filters;

use super::gzip::Gzip;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::grpc;
use crate::headers::trailers::{keep_allowed_trailers, remove_trailers};
use crate::timer::Wait;
use crate::upstream::{AnswerBody, Broken, Lease};

/// A response's body on its way to a client. Dropping it ends the request, however far it came.
pub(crate) enum ResponseBody {
    /// None, before a tunnel.
    None,
    /// Ours.
    Own { text: Option<Bytes>, _exchange: Exchange },
    /// None, to a request or with a status that allows none. A 304 says how long the body of a 200 would be (RFC 9110
    /// §8.6), and hyper writes that over HTTP/1 only if there is a body that says the same; it then asks for none of it.
    Absent { length: Option<u64>, _exchange: Exchange },
    /// An upstream's.
    Relayed(Relay),
}

/// An upstream's body, and the connection that it comes from: to want the body is to drive the connection.
pub(crate) struct Relay {
    incoming: AnswerBody,
    lease: Option<Lease>,
    exchange: Exchange,
    /// What it is compressed by.
    gzip: Option<Box<Gzip>>,
    /// Its client looks for a status behind it.
    is_call: bool,
}

impl ResponseBody {
    /// The end of an answer that has no body, whatever its endpoint still says on an HTTP/2 stream.
    pub(crate) fn absent(length: Option<u64>, lease: Lease, mut exchange: Exchange) -> ResponseBody {
        let worker = exchange.carrier.worker();
        lease.give_back(worker.timers.now(), worker.config.upstream.idle_per_endpoint_max);
        exchange.complete();
        ResponseBody::Absent { length, _exchange: exchange }
    }
}

impl Relay {
    /// `is_call`: it answers a call of gRPC, and is as long as it happens to be.
    pub(crate) fn new(
        incoming: AnswerBody,
        lease: Lease,
        exchange: Exchange,
        is_call: bool,
        gzip: Option<Box<Gzip>>,
    ) -> Relay {
        let mut relay = Relay { incoming, lease: Some(lease), exchange, gzip, is_call };
        if relay.incoming.is_end_stream() {
            relay.finish();
        }
        relay
    }

    /// The next frame for the client: no sooner than there is room for it, and what it comes to is noted. Whatever is to be
    /// made of a body on its way is made between the pull and the account.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        if !self.exchange.carrier.has_room() || self.is_ahead() {
            return Poll::Pending;
        }
        let pulled = self.pull(cx);
        self.pace(&pulled);
        match pulled {
            Poll::Ready(Some(Ok(mut frame))) => {
                keep_allowed_trailers(&mut frame);
                if let Some(filters) = self.exchange.filters() {
                    remove_trailers(&mut frame, |name| filters.edit_response_field(name.as_str()));
                }
                match self.compress(frame) {
                    Ok(frame) => {
                        self.account(&frame);
                        Poll::Ready(Some(Ok(frame)))
                    }
                    Err(_) => self.broken(Refusal::ResponseCut),
                }
            }
            Poll::Ready(None) => {
                self.finish();
                let rest = self.gzip.as_mut().map(|gzip| gzip.rest()).transpose().ok().flatten().flatten();
                if let Some(frame) = &rest {
                    self.account(frame);
                }
                Poll::Ready(rest.map(Ok))
            }
            Poll::Ready(Some(Err(_))) => self.broken(Refusal::ResponseCut),
            Poll::Pending => match self.is_late() {
                Some(why) => self.broken(why),
                None => Poll::Pending,
            },
        }
    }

    /// Whether as much was sent as its route lets be for now. As with nginx whole seconds count, from the beginning of the request.
    fn is_ahead(&self) -> bool {
        let Some(throttle) = self.exchange.filters().and_then(Filters::throttle) else { return false };
        let (carrier, age, sent) = (&self.exchange.carrier, self.exchange.age(), self.exchange.bytes_out);
        let allowed = throttle.allowed(age.as_secs());
        let Some(ahead) = sent.checked_sub(allowed) else {
            carrier.timer().clear(Wait::Throttle);
            return false;
        };
        let seconds = ahead / u64::from(throttle.bytes_per_second.get()) + 1;
        let past = Duration::from_nanos(age.subsec_nanos().into());
        carrier.timer().set(Wait::Throttle, Duration::from_secs(seconds).saturating_sub(past));
        if carrier.is_stream() {
            // It is not its client that takes nothing.
            carrier.timer().clear(Wait::Write);
        }
        true
    }

    /// What becomes of a frame that has come.
    fn compress(&mut self, frame: Frame<Bytes>) -> io::Result<Frame<Bytes>> {
        let is_last = self.incoming.is_end_stream();
        match &mut self.gzip {
            Some(gzip) => gzip.frame(frame, is_last),
            None => Ok(frame),
        }
    }

    /// Whether nothing more is to come.
    fn is_over(&self) -> bool {
        self.incoming.is_end_stream() && !self.gzip.as_ref().is_some_and(|gzip| gzip.has_more())
    }

    /// What the endpoint has sent. The connection of HTTP/1 is driven for it.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.exchange.carrier.reads_as_fast_as_we_write()
            && let Some(connection) = self.lease.as_mut().and_then(|lease| lease.connection.as_mut())
        {
            connection.keep_step();
        }
        self.incoming.poll_frame(self.lease.as_mut(), cx)
    }

    /// A stream that was asked for more has room again, and has to take in time what comes now. With HTTP/1 the socket has
    /// that deadline. Whatever comes, the endpoint is not silent.
    fn pace<T, E>(&self, pulled: &Poll<Option<Result<T, E>>>) {
        let carrier = &self.exchange.carrier;
        if carrier.is_stream() {
            carrier.timer().clear(Wait::Write);
            if pulled.is_ready() {
                carrier.timer().set(Wait::Write, carrier.client().limits().write_timeout);
            }
        }
        if matches!(pulled, Poll::Ready(Some(Ok(_)))) {
            carrier.timer().clear(Wait::Upstream);
        }
    }

    /// This goes to the client.
    fn account(&mut self, frame: &Frame<Bytes>) {
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.exchange.bytes_out += length as u64;
        self.exchange.carrier.put(length);
        if frame.is_trailers() || self.incoming.is_end_stream() {
            self.finish();
        }
    }

    /// Nothing comes: whether that has lasted for too long.
    fn is_late(&self) -> Option<Refusal> {
        let (carrier, timer) = (&self.exchange.carrier, self.exchange.carrier.timer());
        if !carrier.request().is_grpc.get() {
            timer.start(Wait::Upstream, self.exchange.body_timeout());
        }
        if timer.expired(Wait::Call) {
            return Some(Refusal::CallTimeout);
        }
        timer.expired(Wait::Upstream).then_some(Refusal::ResponseStalled)
    }

    /// The body is read to its end: the connection may carry another request.
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            let worker = self.exchange.carrier.worker();
            lease.give_back(worker.timers.now(), worker.config.upstream.idle_per_endpoint_max);
        }
        self.exchange.complete();
    }

    /// The body will not be whole, and its reader must see that. A client of gRPC reads why: of a reset it would think that
    /// the endpoint is at fault, and not try again.
    fn broken(&mut self, why: Refusal) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        self.exchange.refused(why);
        self.exchange.carrier.abort();
        let end = if self.is_call { Ok(Frame::trailers(grpc::status(why))) } else { Err(why) };
        Poll::Ready(Some(end))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        match self.get_mut() {
            ResponseBody::None | ResponseBody::Absent { .. } => Poll::Ready(None),
            ResponseBody::Own { text, .. } => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            ResponseBody::Relayed(relay) => relay.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ResponseBody::None => true,
            ResponseBody::Own { text, .. } => text.is_none(),
            ResponseBody::Absent { length, .. } => length.is_none(),
            ResponseBody::Relayed(relay) => relay.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::None => SizeHint::with_exact(0),
            ResponseBody::Absent { length, .. } => SizeHint::with_exact(length.unwrap_or_default()),
            ResponseBody::Own { text, .. } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            ResponseBody::Relayed(relay) if relay.gzip.is_some() => SizeHint::default(),
            ResponseBody::Relayed(relay) => relay.incoming.size_hint(),
        }
    }
}
