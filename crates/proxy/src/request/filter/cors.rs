//! Pages of other origins: whether one may read the answer, and what its browser is told before it asks.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode};
use model::{Cors, Origins};

use crate::exchange::Exchange;
use crate::respond::{Answer, NotSent};

/// Notes the origin for the answer, and answers a preflight. Requests of other origins, and those that name none, go their way.
pub(super) fn admit<B>(cors: &Cors, exchange: &Exchange, request: &Request<B>) -> Result<(), NotSent> {
    let origin = match (&cors.origins, request.headers().get(header::ORIGIN)) {
        (Origins::Any, _) => HeaderValue::from_static("*"),
        (origins @ Origins::Some(_), Some(origin)) if origins.allow(origin.as_bytes()) => origin.clone(),
        (Origins::Some(_), _) => return Ok(()),
    };
    exchange.note_origin(origin);
    if request.method() == Method::OPTIONS { Err(preflight()) } else { Ok(()) }
}

/// What else it says is added where all answers pass.
fn preflight() -> NotSent {
    let (status, headers) = (StatusCode::NO_CONTENT, HeaderMap::new());
    NotSent::Answered(Box::new(Answer { status, headers, text: Bytes::new() }))
}
