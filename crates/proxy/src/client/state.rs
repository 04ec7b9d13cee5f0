//! What the carrier of a request, and its body, must see of it.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use http::{Request, Version};
use http_body::Body;
use hyper::body::Incoming;
use model::Timeouts;

use crate::error::Refusal;

/// How far a request has come. It is there before the request and as long as anything is left of it, which may be longer
/// than the exchange: an endpoint may read a body that it has answered.
#[derive(Debug, Default)]
pub(crate) struct RequestState {
    /// The request has begun, and its answer is not yet handed over whole.
    pub(crate) is_open: Cell<bool>,
    /// The head of its answer is known.
    pub(crate) is_answered: Cell<bool>,
    /// Its body is not read to its end: with HTTP/1 the rest stands before any next request.
    pub(crate) body_unread: Cell<bool>,
    /// It is one of HTTP/1.0.
    pub(crate) speaks_http10: Cell<bool>,
    /// It is a call of gRPC: its client reads no status of HTTP, and silence is a part of it.
    pub(crate) is_grpc: Cell<bool>,
    /// Why nothing more of it is read, as far as that was found in its body.
    pub(crate) fault: Cell<Option<Refusal>>,
    /// Its head is edited by its route: its trailers do not reach the endpoint, which might merge them into that head.
    pub(crate) drops_trailers: Cell<bool>,
    /// How long its route gives an endpoint to answer, in milliseconds: each stream keeps room for it.
    response_timeout: Cell<Option<NonZeroU32>>,
    /// How long it lets an endpoint take nothing of the body, the same.
    send_timeout: Cell<Option<NonZeroU32>>,
}

impl RequestState {
    /// hyper has its head.
    pub(crate) fn begin(&self, request: &Request<Incoming>, is_grpc: bool) {
        self.is_open.set(true);
        self.speaks_http10.set(request.version() == Version::HTTP_10);
        self.body_unread.set(!request.body().is_end_stream());
        self.is_grpc.set(is_grpc);
    }

    /// Its route has times of its own for the endpoint, or not.
    pub(crate) fn keep_times(&self, times: &Timeouts) {
        let millis =
            |time: Option<Duration>| NonZeroU32::new(u32::try_from(time?.as_millis()).unwrap_or(u32::MAX));
        self.response_timeout.set(millis(times.response));
        self.send_timeout.set(millis(times.send));
    }

    /// Its route's own time in which an endpoint must answer.
    pub(super) fn response_timeout(&self) -> Option<Duration> {
        self.response_timeout.get().map(time)
    }

    /// Its route's own time in which an endpoint must take more of the body.
    pub(super) fn send_timeout(&self) -> Option<Duration> {
        self.send_timeout.get().map(time)
    }
}

fn time(millis: NonZeroU32) -> Duration {
    Duration::from_millis(u64::from(millis.get()))
}
