//! The first look at a request: what is refused before anything is asked of a route or an upstream.
//!
//! hyper has parsed the head and the guard has checked its framing; here the target, the host and what the client
//! expects are checked, and brought to the one normal form that routes are found by.

use std::borrow::Cow;

use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, Request, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use model::{RequestHost, RequestPath};

use super::upgrade;
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::field;
use crate::guard::METHOD_BYTES_MAX;
use crate::worker::Worker;

/// A request that may be routed.
pub(crate) struct Admitted<'r> {
    /// `None` for a request of HTTP/1.0 that names no host.
    pub(crate) host: Option<RequestHost<'r>>,
    pub(crate) path: RequestPath<'r>,
}

/// Escapes what must be in the target of HTTP/2, as is done with those of HTTP/1 before hyper sees them. What the
/// library refuses by itself is lost: the stream is reset.
pub(super) fn escape(request: &mut Request<Incoming>) {
    let Some(target) = request.uri().path_and_query().filter(|_| request.version() == Version::HTTP_2) else {
        return;
    };
    let Cow::Owned(escaped) = model::escape_target(target.as_str()) else { return };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(escaped).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// Checks a request's head.
///
/// # Errors
/// Why it is answered by us, and not by an upstream.
pub(crate) fn admit<'r>(carrier: &Carrier, request: &'r Request<Incoming>) -> Result<Admitted<'r>, Refusal> {
    match *request.method() {
        // It gives back what other clients' credentials may be in.
        Method::TRACE => return Err(Refusal::Method),
        Method::CONNECT => upgrade::check_connect(request.extensions().get())?,
        _ => {}
    }
    if request.version() == Version::HTTP_2 {
        measure(carrier, request)?;
    }
    let path = path(request)?;
    let host = host(request)?;
    expectation(request)?;
    if request.body().size_hint().lower() > carrier.client().limits().body_bytes_max {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(Admitted { host, path })
}

/// What the guard has looked at in HTTP/1. Each crumb of a cookie counts: a compressed one costs a byte to send.
fn measure(carrier: &Carrier, request: &Request<Incoming>) -> Result<(), Refusal> {
    let limits = carrier.client().limits();
    if request.headers().len() > limits.head_fields_max {
        return Err(Refusal::HeadTooLarge);
    }
    if request.method().as_str().len() > METHOD_BYTES_MAX {
        return Err(Refusal::BadRequest);
    }
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.request_line_bytes_max {
        return Err(Refusal::LineTooLong);
    }
    // RFC 9113 §6.5.2 measures fields in this way.
    let length_of = |name: &HeaderName, value: &HeaderValue| name.as_str().len() + value.len() + 32;
    let fields: usize = request.headers().iter().map(|(name, value)| length_of(name, value)).sum();
    let authority = request.uri().authority().map_or(0, |authority| authority.as_str().len());
    carrier.hold_head(target + authority + fields)?;
    // RFC 9113 §8.3.1: a `:path` is never empty. The library takes a query alone for one whose slash was left out.
    match request.uri().path_and_query() {
        Some(target) if target.as_str().starts_with('?') => Err(Refusal::BadTarget),
        _ => Ok(()),
    }
}

/// Whether there is memory and a place for this request, which is counted already.
pub(super) fn check_room(worker: &Worker) -> Result<(), Refusal> {
    worker.overload.check_memory()?;
    let in_flight = worker.cells.requests_in_flight.get();
    if in_flight > worker.requests_max { Err(Refusal::Requests) } else { Ok(()) }
}

/// Whether the TLS connection, if it is one, was opened for this host: else what its certificate was to ensure was not
/// ensured for this request.
pub(super) fn check_directed(client: &Client, admitted: &Admitted<'_>) -> Result<(), Refusal> {
    let (Some(secure), Some(host)) = (client.secure.get(), &admitted.host) else { return Ok(()) };
    let name = secure.name.as_deref();
    if name == Some(host.name()) || secure.tls.certificates.load().serves_alike(name, host.name()) {
        Ok(())
    } else {
        Err(Refusal::Misdirected)
    }
}

/// The target for the upstream, where it is not the one that came: of a whole URI, as HTTP/2 always has one, what an
/// upstream of HTTP/1 is asked for. Path and query go out byte for byte.
pub(crate) fn target(came: &Uri) -> Option<Uri> {
    came.scheme().and_then(|_| came.path_and_query().cloned()).map(Uri::from)
}

/// RFC 9112 §3.2: a path, a whole URI, or `*` for OPTIONS.
fn path(request: &Request<Incoming>) -> Result<RequestPath<'_>, Refusal> {
    let uri = request.uri();
    if uri.path() == "*" {
        // For routing, the server as a whole is its root; the upstream gets the asterisk as it came.
        let whole = *request.method() == Method::OPTIONS && uri.query().is_none();
        return if whole {
            RequestPath::parse("/").map_err(|_| Refusal::BadTarget)
        } else {
            Err(Refusal::BadTarget)
        };
    }
    let scheme_known = uri.scheme_str().is_none_or(|scheme| scheme == "http" || scheme == "https");
    if !scheme_known || (uri.scheme().is_none() && uri.authority().is_some()) {
        return Err(Refusal::BadTarget);
    }
    RequestPath::parse(uri.path()).map_err(|_| Refusal::BadTarget)
}

/// RFC 9112 §3.2 and §3.2.2: one valid `Host`, equal to the authority of an absolute target. HTTP/1.0 may have none.
fn host(request: &Request<Incoming>) -> Result<Option<RequestHost<'_>>, Refusal> {
    let mut fields = request.headers().get_all(header::HOST).iter();
    let (field, more) = (fields.next(), fields.next());
    if more.is_some() {
        return Err(Refusal::BadHost);
    }
    let field = match field {
        Some(field) => field.to_str().map_err(|_| Refusal::BadHost)?,
        // RFC 9113 §8.3.1: the authority stands for it.
        None if request.version() == Version::HTTP_2 => {
            request.uri().authority().ok_or(Refusal::BadHost)?.as_str()
        }
        None if request.version() == Version::HTTP_10 => return Ok(None),
        None => return Err(Refusal::BadHost),
    };
    let host = RequestHost::parse(field).map_err(|_| Refusal::BadHost)?;
    if let Some(authority) = request.uri().authority() {
        let target = RequestHost::parse(authority.as_str()).map_err(|_| Refusal::BadHost)?;
        // Either may say the port that goes without saying.
        let usual = if request.uri().scheme_str() == Some("https") { 443 } else { 80 };
        let port = |host: &RequestHost<'_>| host.port().unwrap_or(usual);
        if target.name() != host.name() || port(&target) != port(&host) {
            return Err(Refusal::BadHost);
        }
    }
    Ok(Some(host))
}

/// RFC 9110 §10.1.1. hyper sends the `100 Continue` when the body is first wanted: after routing and connecting. With HTTP/2
/// it sends none, nor does nginx: a client waits for a moment, which it must not do for long, and sends its body.
fn expectation(request: &Request<Incoming>) -> Result<(), Refusal> {
    // A list, which may be empty, as may its elements.
    let is_known = |one: &[u8]| one.is_empty() || one.eq_ignore_ascii_case(b"100-continue");
    let are_known = |value: &HeaderValue| field::list(value.as_bytes()).all(is_known);
    if !request.headers().contains_key(header::EXPECT) {
        return Ok(());
    }
    if request.headers().get_all(header::EXPECT).iter().all(are_known) {
        Ok(())
    } else {
        Err(Refusal::Expectation)
    }
}
