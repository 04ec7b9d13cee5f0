//! A request, from its head to the last byte of its response: `admit → find_route → pick_endpoint → send → relay →
//! record`, in that order. The last is what an [`Exchange`] ends with.

mod admit;
mod affinity;
mod attempts;
mod facts;
mod filter;
mod heads;
mod pages;
mod send;
mod upgrade;
mod variables;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use model::{Facts, Filters, Route};

use self::admit::{Admitted, admit};
use self::attempts::{Attempts, Failed};
use self::facts::RequestFacts;
use self::filter::{Asked, Awaited, Sent};
use self::upgrade::{Upgrade, upgrade};
use crate::body::{Relay, ResponseBody};
use crate::client::Carrier;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::grpc;
use crate::headers;
use crate::respond::{self, NotSent};
use crate::timer::Wait;
use crate::tunnel::Seat;
use crate::upstream::{Answered, EndpointPool, Keyed, Lease, Upstreams, View};

/// Serves one request. Always yields a response; what cannot be served is answered by `respond`. A connection of HTTP/1 that
/// becomes a tunnel finds that in `seat`.
///
/// What can be decided at once is, before there is a future: a connection keeps room for this future, and with
/// hundreds of connections the size of what is kept is what a request costs.
pub(crate) fn serve<'s>(
    upstreams: &Rc<Upstreams>,
    carrier: Carrier,
    mut request: Request<Incoming>,
    seat: Option<&'s Seat>,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<'s> {
    admit::escape(&mut request);
    let mut exchange = Exchange::begin(carrier, &request);
    let mut decided = decide(&mut exchange, upstreams, request);
    async move {
        // Not taken apart: the future would have room for both the whole and the part.
        let attempts = match &mut decided {
            Ok(attempts) => attempts,
            Err(why) => {
                return Ok(match pages::replaced(&exchange, why) {
                    Some(code) => Box::pin(pages::serve(exchange, code)).await,
                    None => respond::respond(exchange, why.take()),
                });
            }
        };
        // Boxed, so that requests that wait for nothing keep no room for it.
        if attempts.awaited.is_some()
            && let Err(why) = Box::pin(wait(&exchange, attempts)).await
        {
            return Ok(match pages::replaced(&exchange, &why) {
                Some(code) => Box::pin(pages::serve(exchange, code)).await,
                None => respond::respond(exchange, why),
            });
        }
        Ok(match attempt(&mut exchange, attempts).await {
            Ok((lease, answered)) if lease.is_upgraded => {
                let (asked, keyed) = (attempts.upgrade.take(), attempts.keyed.take());
                Box::pin(upgrade(exchange, asked, keyed, lease, answered, seat)).await
            }
            Ok((lease, answered)) if pages::replace(&exchange, answered.status()) => {
                let code = answered.status();
                drop((lease, answered));
                Box::pin(pages::serve(exchange, code)).await
            }
            Ok((lease, answered)) => relay(exchange, attempts.keyed.as_deref(), lease, answered),
            Err(why) => match pages::replaced(&exchange, &why.into()) {
                Some(code) => Box::pin(pages::serve(exchange, code)).await,
                None => respond::refuse(exchange, why),
            },
        })
    }
}

/// Whether the request may be sent, where to, and as what.
fn decide(
    exchange: &mut Exchange,
    upstreams: &Rc<Upstreams>,
    request: Request<Incoming>,
) -> Result<Attempts, NotSent> {
    let found = find(exchange, upstreams, &request);
    pages::keep(exchange, upstreams, &request);
    let (sent, awaited, keyed) = match found {
        Ok(found) => found,
        Err(why) => {
            exchange.carrier.leave_unread(request.into_body());
            return Err(why);
        }
    };
    let (request, upgrade) = heads::for_upstream(exchange, request, sent)?;
    let mut attempts = Attempts::new(request, upgrade, keyed, upstreams, exchange);
    attempts.awaited = awaited;
    Ok(attempts)
}

/// What is found of a request.
type Found = (Sent, Option<Box<Awaited>>, Option<Box<Keyed>>);

/// Whether the request may be sent, and where to; its target, if that is to be another one; what it has to wait for; and what of it
/// decides on its endpoint. From here on the policy of its route is known to the exchange.
fn find(
    exchange: &mut Exchange,
    upstreams: &Upstreams,
    request: &Request<Incoming>,
) -> Result<Found, NotSent> {
    let admitted = admit(&exchange.carrier, request)?;
    admit::check_room(exchange.carrier.worker())?;
    admit::check_directed(exchange.carrier.client(), &admitted)?;
    let view = upstreams.view();
    let is_secure = exchange.carrier.client().secure.get().is_some();
    let facts = RequestFacts { admitted: &admitted, request, is_secure };
    let (route, backend) = find_route(&view, &facts)?;
    exchange.found(route, backend.map(|backend| upstreams.pool(&view, backend)));
    // Before anything else that a route says, as nginx does it.
    if request.body().size_hint().lower() > exchange.body_bytes_max() {
        return Err(Refusal::BodyTooLarge.into());
    }
    let asked = Asked { exchange, facts: &facts, view: &view, upstreams };
    filter::fill(&asked);
    let awaited = match exchange.filters() {
        Some(filters) => filter::admit(filters, &asked)?,
        None => None,
    };
    pages::stand_in(exchange, upstreams, &view);
    let compresses = exchange.filters().is_some_and(|filters| filters.compression().is_some());
    exchange.carrier.request().takes_gzip.set(compresses && filter::takes_gzip(request));
    let Some(backend) = backend else { return Err(Refusal::NoRoute.into()) };
    let by = route.policy.keyed.as_deref();
    let keyed = by.and_then(|by| affinity::keyed(by, route, backend, exchange, &facts));
    let sent = match exchange.filters().and_then(Filters::rewrite) {
        Some(rewrite) => filter::rewrite(rewrite, &route.path, &facts)?,
        None => Sent { target: admit::target(request.uri()), prefix: None },
    };
    Ok((sent, awaited, keyed))
}

/// Waits for what the request has to wait for before it is sent anywhere.
async fn wait(exchange: &Exchange, attempts: &mut Attempts) -> Result<(), NotSent> {
    let Some(mut awaited) = attempts.awaited.take() else { return Ok(()) };
    filter::wait(exchange, attempts, &mut awaited).await?;
    attempts.awaited = Some(awaited);
    Ok(())
}

/// The way to an endpoint and back, again for each attempt.
async fn attempt(exchange: &mut Exchange, attempts: &mut Attempts) -> Result<(Lease, Answered), Refusal> {
    loop {
        let endpoint = pick_endpoint(exchange, attempts)?;
        match send(exchange, &endpoint, attempts).await {
            Ok((lease, mut answered)) => {
                if let Some(awaited) = &attempts.awaited {
                    awaited.add_cookies(&mut answered);
                }
                return Ok((lease, answered));
            }
            Err(failed) => attempts.again(exchange, endpoint, failed)?,
        }
    }
}

/// The route of the snapshot that the request began with, and which backend of its target the request goes to, at every
/// attempt; none where the route leads nowhere.
fn find_route<'v>(view: &'v View, facts: &impl Facts) -> Result<(&'v Arc<Route>, Option<u32>), Refusal> {
    let route = view.table.find(facts).ok_or(Refusal::NoRoute)?;
    Ok((route, view.table.choose(route, facts, |total| fastrand::u64(..total))))
}

/// An endpoint that was not tried yet. Pools follow each publication, so a second attempt sees the newest endpoints.
fn pick_endpoint(exchange: &Exchange, attempts: &mut Attempts) -> Result<Rc<EndpointPool>, Refusal> {
    attempts.upstreams.refresh();
    let (pool, policy) = exchange.pool().zip(exchange.policy()).ok_or(Refusal::NoRoute)?;
    let now = exchange.carrier.client().now();
    let Some(mut keyed) = attempts.keyed.take() else {
        let endpoint = pool.pick(policy.balance, |endpoint| attempts.prefers(endpoint), now);
        let endpoint =
            endpoint.or_else(|| pool.pick(policy.balance, |endpoint| attempts.may_try(endpoint), now));
        return endpoint.ok_or_else(|| attempts.last_failure().unwrap_or(Refusal::NoEndpoint));
    };
    let endpoint = pool.pick_keyed(&mut keyed, policy.balance, |endpoint| attempts.prefers(endpoint), now);
    let endpoint = endpoint
        .or_else(|| pool.pick_keyed(&mut keyed, policy.balance, |endpoint| attempts.may_try(endpoint), now));
    attempts.keyed = Some(keyed);
    endpoint.ok_or_else(|| attempts.last_failure().unwrap_or(Refusal::NoEndpoint))
}

/// One attempt.
async fn send(
    exchange: &mut Exchange,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    exchange.attempt(endpoint);
    let exchange = &*exchange;
    let carrier = &exchange.carrier;
    let (mut lease, answered) = if endpoint.transport.protocol.is_http2() {
        // Boxed, so that a connection of HTTP/1 keeps no room for it.
        Box::pin(send::on_http2(exchange, endpoint, attempts)).await?
    } else {
        send::on_http1(exchange, endpoint, attempts).await?
    };
    lease.is_upgraded = check(carrier, attempts.upgrade.as_deref(), &answered, endpoint)?;
    if attempts.prefers_another_answer(exchange, endpoint, answered.status()) {
        return Err(Failed::unwanted());
    }
    carrier.timer().clear(Wait::Upstream);
    carrier.timer().clear(Wait::Request);
    if carrier.is_stream() {
        // A client that has its answer may be silent for as long as the endpoint is not.
        carrier.timer().clear(Wait::Client);
    }
    Ok((lease, answered))
}

/// Whether the head of an answer can be passed on; and whether by it the endpoint agrees to an upgrade.
fn check(
    carrier: &Carrier,
    asked: Option<&Upgrade>,
    answered: &Answered,
    endpoint: &EndpointPool,
) -> Result<bool, Failed> {
    // hyper counts those of HTTP/1, and none of HTTP/2.
    let too_many = answered.headers().len() > carrier.worker().config.upstream.head_fields_max;
    if too_many || !headers::is_framed_well(answered.headers()) {
        return Err(Failed::answered(Refusal::BadResponse));
    }
    upgrade::is_agreed(asked, answered, endpoint.transport.protocol).map_err(Failed::answered)
}

/// Hands the upstream's response to the client.
fn relay(
    mut exchange: Exchange,
    keyed: Option<&Keyed>,
    lease: Lease,
    answered: Answered,
) -> Response<ResponseBody> {
    let (mut head, body) = answered.into_parts();
    heads::for_client(&exchange, keyed, &mut head);
    exchange.answered(head.status);
    let is_call = exchange.carrier.request().is_grpc.get() && grpc::is_answer(&head.headers);
    let gzip = if is_call { None } else { filter::begin_compressing(&exchange, &mut head, &body) };
    let has_no_body = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if has_no_body || exchange.asks_for_head {
        let length = headers::length_of_no_body(head.status, &mut head.headers);
        // Of an answer to HEAD, and over HTTP/2, hyper writes it as it stands.
        let length = length.filter(|_| !exchange.asks_for_head && !exchange.carrier.is_stream());
        ResponseBody::absent(length, lease, exchange)
    } else {
        ResponseBody::Relayed(Relay::new(body, lease, exchange, is_call, gzip))
    };
    Response::from_parts(head, body)
}
