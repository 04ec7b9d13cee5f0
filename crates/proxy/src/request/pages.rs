//! Another backend serves in the place of endpoints: whole requests where there is none, or pages for errors. It is told what it
//! is for, in the fields of ingress-nginx.

use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Uri;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use model::Pages;

use super::attempts::Attempts;
use super::heads::Outgoing;
use super::{attempt, relay};
use crate::body::ResponseBody;
use crate::error::{Refusal, Side};
use crate::exchange::{Exchange, Kept};
use crate::headers;
use crate::respond::{self, NotSent};
use crate::timer::Wait;
use crate::upstream::{RequestBody, Upstreams, View};

const CODE: HeaderName = HeaderName::from_static("x-code");
const FORMAT: HeaderName = HeaderName::from_static("x-format");
const INGRESS: HeaderName = HeaderName::from_static("x-ingress-name");
const NAMESPACE: HeaderName = HeaderName::from_static("x-namespace");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const SERVICE: HeaderName = HeaderName::from_static("x-service-name");
const SERVICE_PORT: HeaderName = HeaderName::from_static("x-service-port");

/// Keeps what a page may be asked for with, if the route has pages for errors.
pub(super) fn keep(exchange: &mut Exchange, upstreams: &Rc<Upstreams>, request: &Request<Incoming>) {
    if exchange.filters().and_then(|filters| filters.pages()).is_none_or(|pages| pages.statuses.is_empty()) {
        return;
    }
    let mut head = Request::new(()).into_parts().0;
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.version = request.version();
    head.headers = request.headers().clone();
    exchange.keep(Kept { head, upstreams: Rc::clone(upstreams) });
}

/// The route's own backend has no endpoint: another one serves the request, if there is one that can.
pub(super) fn stand_in(exchange: &mut Exchange, upstreams: &Upstreams, view: &View) {
    let Some(pages) = exchange.filters().and_then(|filters| filters.pages()) else { return };
    let Some(instead) = &pages.instead else { return };
    if exchange.pool().is_none_or(|pool| !pool.has_no_endpoint()) {
        return;
    }
    let instead = upstreams.pool_named(view, instead).filter(|instead| !instead.has_no_endpoint());
    if let Some(instead) = instead {
        exchange.stand_in(instead);
    }
}

/// Tells a backend that stands in what for.
pub(super) fn tell(exchange: &Exchange, head: &mut HeaderMap) {
    if exchange.stands_in() {
        say(exchange, Refusal::NoEndpoint.status(), head);
    }
}

fn say(exchange: &Exchange, code: StatusCode, head: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| match HeaderValue::from_str(value) {
        Ok(value) if !value.is_empty() => drop(head.insert(name, value)),
        _ => drop(head.remove(name)),
    };
    set(CODE, code.as_str());
    if let Some((route, service)) = exchange.origin_of_pages() {
        set(NAMESPACE, &route.origin.object.namespace);
        set(INGRESS, &route.origin.object.name);
        set(SERVICE, &service.service);
        set(SERVICE_PORT, &service.port);
    }
    match head.get(header::ACCEPT).cloned() {
        Some(accept) => drop(head.insert(FORMAT, accept)),
        None => drop(head.remove(FORMAT)),
    }
}

/// Whether an endpoint's answer with this status is replaced by a page.
pub(super) fn replace(exchange: &Exchange, status: StatusCode) -> bool {
    let is_call = exchange.carrier.request().is_grpc.get();
    pages(exchange).is_some_and(|pages| pages.of_endpoints && !is_call && pages.replace(status.as_u16()))
}

/// The status of our own answer, if it is replaced by a page. A client that broke the rules gets none, and where there is too
/// much to do there is no room for more.
pub(super) fn replaced(exchange: &Exchange, why: &NotSent) -> Option<StatusCode> {
    let (refused, status) = match why {
        NotSent::Refused(why) => (Some(*why), why.status()),
        NotSent::RefusedAs(why, status) => (Some(*why), *status),
        NotSent::Answered(answer) => (None, answer.status),
    };
    if refused.is_some_and(|why| why.side() == Side::Downstream || why.is_overload()) {
        return None;
    }
    pages(exchange).filter(|pages| pages.replace(status.as_u16())).map(|_| status)
}

fn pages(exchange: &Exchange) -> Option<&Pages> {
    exchange.has_kept().then(|| exchange.filters()?.pages()).flatten()
}

/// Answers with the page for this status.
pub(super) async fn serve(mut exchange: Exchange, code: StatusCode) -> Response<ResponseBody> {
    let by = exchange.filters().and_then(|filters| filters.pages()?.by.clone());
    let (Some(kept), Some(by)) = (exchange.take_kept(), by) else {
        return respond::refuse(exchange, Refusal::NoRoute);
    };
    let Kept { head, upstreams } = kept;
    let Some(pool) = upstreams.pool_named(&upstreams.view(), &by) else {
        return respond::refuse(exchange, Refusal::NoRoute);
    };
    let Some(request) = request(&exchange, head, code) else {
        return respond::refuse(exchange, Refusal::BadHost);
    };
    exchange.show_page(pool);
    exchange.carrier.timer().set(Wait::Request, exchange.carrier.worker().config.max_request_time);
    let mut attempts =
        Attempts::new(Outgoing { request, upgrade: None, lines: None }, None, &upstreams, &exchange);
    match attempt(&mut exchange, &mut attempts).await {
        Ok((lease, answered)) => relay(exchange, None, lease, answered),
        Err(why) => respond::refuse(exchange, why),
    }
}

/// The request for a page: for the root, without a body.
fn request(exchange: &Exchange, kept: Parts, code: StatusCode) -> Option<Request<RequestBody>> {
    let Parts { method, uri, version, mut headers, .. } = kept;
    if version == Version::HTTP_2 {
        headers::as_http1(&uri, &mut headers);
    }
    headers::strip_hop_by_hop(&mut headers);
    headers.remove(header::CONTENT_LENGTH);
    exchange.carrier.client().forward(exchange.edge(), &mut headers, &uri);
    say(exchange, code, &mut headers);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    headers.insert(ORIGINAL_URI, HeaderValue::from_str(target).ok()?);
    let mut request = Request::new(());
    (*request.method_mut(), *request.headers_mut(), *request.uri_mut()) =
        (method, headers, Uri::from_static("/"));
    let (mut head, ()) = request.into_parts();
    if exchange.protocol().is_http2() {
        headers::as_http2(&mut head, exchange.protocol())?;
    }
    Some(Request::from_parts(head, RequestBody::empty(exchange.carrier.clone())))
}
