//! What the carrier of a request, and its body, must see of it.

use std::cell::Cell;

use http::{Request, Version};
use http_body::Body;
use hyper::body::Incoming;

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
}

impl RequestState {
    /// hyper has its head.
    pub(crate) fn begin(&self, request: &Request<Incoming>, is_grpc: bool) {
        self.is_open.set(true);
        self.speaks_http10.set(request.version() == Version::HTTP_10);
        self.body_unread.set(!request.body().is_end_stream());
        self.is_grpc.set(is_grpc);
    }
}
