//! What is changed in heads on their way: in a request's for its upstream, in an answer's for its client. That of an
//! answer which agrees to an upgrade is changed in [`upgrade`](super::upgrade()), and interim ones, which no filter of a route
//! sees, in `client`.

use http::{HeaderValue, Method, Request, Version, header, response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use model::Filters;

use super::affinity;
use super::filter::{self, Sent};
use super::pages;
use super::upgrade::Upgrade;
use crate::answer_filter::{self, By};
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::headers;
use crate::upstream::{Keyed, RequestBody};

/// Makes the client's head fit for an upstream.
///
/// # Errors
/// [`Refusal::BadHost`], if it has none that HTTP/2 could name.
pub(super) fn for_upstream(
    exchange: &Exchange,
    request: Request<Incoming>,
    sent: Sent,
) -> Result<(Request<RequestBody>, Option<Box<Upgrade>>), Refusal> {
    let (carrier, protocol) = (&exchange.carrier, exchange.protocol());
    let (mut head, body) = request.into_parts();
    if head.version == Version::HTTP_2 {
        headers::as_http1(&head.uri, &mut head.headers);
    }
    let trailers = headers::wants_trailers(&head.headers);
    let upgrade = if body.is_end_stream() { Upgrade::wanted(&mut head, protocol) } else { None };
    headers::strip_hop_by_hop(&mut head.headers);
    // Of these two hyper takes it for granted that they have no body, and would drop one of unknown length.
    if !protocol.is_http2()
        && matches!(head.method, Method::GET | Method::HEAD)
        && !body.is_end_stream()
        && body.size_hint().exact().is_none()
    {
        head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    carrier.client().forward(exchange.edge(), &mut head.headers, &head.uri);
    if trailers {
        head.headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    match &upgrade {
        Some(upgrade) => upgrade.ask(&mut head, protocol),
        None => carrier.keep_protocol(),
    }
    if let Some(edge) = exchange.edge() {
        filter::edit_request_at(edge, exchange, &mut head.headers);
    }
    if let Some(filters) = exchange.filters() {
        filter::edit_request(filters, exchange, &mut head.headers);
        pages::tell(exchange, &mut head.headers);
    }
    carrier.request().drops_trailers.set(exchange.filters().is_some_and(Filters::edit_requests));
    head.version = Version::HTTP_11;
    sent.apply(&mut head);
    if protocol.is_http2() {
        headers::as_http2(&mut head, protocol).ok_or(Refusal::BadHost)?;
    }
    Ok((
        Request::from_parts(head, RequestBody::new(body, carrier.clone(), exchange.body_bytes_max())),
        upgrade,
    ))
}

/// Makes the head of an upstream's response fit for the client. With HTTP/1 a drain shows here, and in `respond`: at the last
/// moment at which it can be said, the client is told that this connection will serve no further request.
pub(super) fn for_client(exchange: &Exchange, keyed: Option<&Keyed>, head: &mut response::Parts) {
    let carrier = &exchange.carrier;
    headers::strip_hop_by_hop(&mut head.headers);
    answer_filter::edit(exchange, By::Endpoint, head.status, &mut head.headers);
    affinity::tell(exchange, keyed, &mut head.headers);
    head.version = Version::HTTP_11;
    carrier.refuse_protocol();
    if carrier.must_close() {
        carrier.say_close(&mut head.headers, &mut head.version);
    }
    name_no_reason(head);
}

/// A status without a name has no reason over HTTP/2, and hyper would make up one.
fn name_no_reason(head: &mut response::Parts) {
    if head.status.canonical_reason().is_none() && head.extensions.get::<ReasonPhrase>().is_none() {
        head.extensions.insert(ReasonPhrase::from_static(b""));
    }
}
