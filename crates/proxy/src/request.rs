//! A request, from its head to the last byte of its response: `admit → find_route → pick_endpoint → send → relay →
//! record`, in that order. The last is what an [`Exchange`] ends with, wherever that is.

mod admit;
mod attempts;
mod facts;
mod filter;
mod heads;
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
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::grpc;
use crate::headers;
use crate::respond::{self, NotSent};
use crate::timer::Wait;
use crate::tunnel::Seat;
use crate::upstream::{
    Answered, EndpointPool, Lease, Reuse, Unanswered, Upstreams, View, connect, take_slot,
};
use crate::worker::Worker;

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
            Err(why) => return Ok(respond::respond(exchange, why.take())),
        };
        // Boxed, so that requests that wait for nothing keep no room for it.
        if attempts.awaited.is_some()
            && let Err(why) = Box::pin(wait(&exchange, attempts)).await
        {
            return Ok(respond::respond(exchange, why));
        }
        Ok(match attempt(&mut exchange, attempts).await {
            Ok((lease, answered)) if lease.is_upgraded => {
                let asked = attempts.upgrade.take();
                Box::pin(upgrade(exchange, asked, lease, answered, seat)).await
            }
            Ok((lease, answered)) => relay(exchange, lease, answered),
            Err(why) => respond::refuse(exchange, why),
        })
    }
}

/// Whether the request may be sent, where to, and as what.
fn decide(
    exchange: &mut Exchange,
    upstreams: &Rc<Upstreams>,
    request: Request<Incoming>,
) -> Result<Attempts, NotSent> {
    let (sent, awaited) = match find(exchange, upstreams, &request) {
        Ok(found) => found,
        Err(why) => {
            exchange.carrier.leave_unread(request.into_body());
            return Err(why);
        }
    };
    let (request, upgrade) = heads::for_upstream(exchange, request, sent)?;
    let mut attempts = Attempts::new(request, upgrade, upstreams, exchange);
    attempts.awaited = awaited;
    Ok(attempts)
}

/// Whether the request may be sent, and where to; what of its head is to be another one; and what it has to wait for. From
/// here on the policy of its route is known to the exchange.
fn find(
    exchange: &mut Exchange,
    upstreams: &Upstreams,
    request: &Request<Incoming>,
) -> Result<(Sent, Option<Box<Awaited>>), NotSent> {
    let admitted = admit(&exchange.carrier, request)?;
    check_room(exchange.carrier.worker())?;
    check_directed(exchange.carrier.client(), &admitted)?;
    let view = upstreams.view();
    let facts = RequestFacts { admitted: &admitted, request };
    let (route, backend) = find_route(&view, &facts)?;
    exchange.found(route, backend.map(|backend| upstreams.pool(&view, backend)));
    // Before anything else that a route says, as nginx does it.
    if request.body().size_hint().lower() > exchange.body_bytes_max() {
        return Err(Refusal::BodyTooLarge.into());
    }
    let awaited = match exchange.filters() {
        Some(filters) => filter::admit(filters, &Asked { exchange, facts: &facts, view: &view, upstreams })?,
        None => None,
    };
    if backend.is_none() {
        return Err(Refusal::NoRoute.into());
    }
    let sent = match exchange.filters().and_then(Filters::rewrite) {
        Some(rewrite) => filter::rewrite(rewrite, &route.path, &facts)?,
        None => Sent { target: admit::target(request.uri()), prefix: None },
    };
    Ok((sent, awaited))
}

/// Waits for what the request has to wait for before it is sent anywhere.
async fn wait(exchange: &Exchange, attempts: &mut Attempts) -> Result<(), NotSent> {
    let Some(mut awaited) = attempts.awaited.take() else { return Ok(()) };
    filter::wait(exchange, attempts, &mut awaited).await?;
    attempts.awaited = Some(awaited);
    Ok(())
}

/// Whether there is memory and a place for this request, which is counted already.
fn check_room(worker: &Worker) -> Result<(), Refusal> {
    worker.overload.check_memory()?;
    let in_flight = worker.cells.requests_in_flight.get();
    if in_flight > worker.requests_max { Err(Refusal::Requests) } else { Ok(()) }
}

/// Whether the TLS connection, if it is one, was opened for this host: else what its certificate was to ensure was not
/// ensured for this request.
fn check_directed(client: &Client, admitted: &Admitted<'_>) -> Result<(), Refusal> {
    let (Some(secure), Some(host)) = (client.secure.get(), &admitted.host) else { return Ok(()) };
    let name = secure.name.as_deref();
    if name == Some(host.name()) || secure.tls.certificates.load().serves_alike(name, host.name()) {
        Ok(())
    } else {
        Err(Refusal::Misdirected)
    }
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
    let backend = route.target.choose(facts, |total| fastrand::u64(..total));
    Ok((route, backend.map(|backend| view.table.serving(&route.target, backend))))
}

/// An endpoint that was not tried yet. Pools follow each publication, so a second attempt sees the newest endpoints.
fn pick_endpoint(exchange: &Exchange, attempts: &Attempts) -> Result<Rc<EndpointPool>, Refusal> {
    attempts.upstreams.refresh();
    let (pool, policy) = exchange.pool().zip(exchange.policy()).ok_or(Refusal::NoRoute)?;
    let now = exchange.carrier.client().now();
    let endpoint = pool.pick(policy.balance, |endpoint| attempts.prefers(endpoint), now);
    let endpoint = endpoint.or_else(|| pool.pick(policy.balance, |endpoint| attempts.may_try(endpoint), now));
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
        Box::pin(send_on_http2(exchange, endpoint, attempts)).await?
    } else {
        send_on_http1(exchange, endpoint, attempts).await?
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

/// On a pooled connection where that is safe, else on a fresh one.
async fn send_on_http1(
    exchange: &Exchange,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let carrier = &exchange.carrier;
    let worker = carrier.worker();
    let mut lease = endpoint.lease(carrier.client(), attempts.reuse(), worker.timers.now());
    let connection = match &mut lease.connection {
        Some(connection) => {
            worker.cells.upstream_reuses.add(1);
            connection
        }
        // Boxed, because few requests need the room.
        none => match Box::pin(connect(carrier, endpoint, exchange.connect_timeout())).await {
            Ok(connection) => none.insert(connection),
            Err(why) => return Err(Failed::unsent(why)),
        },
    };
    carrier.await_head();
    match connection.send(carrier, attempts.take_request()).await {
        Ok(answered) => Ok((lease, answered)),
        Err(unanswered) => Err(failed(carrier, attempts, *unanswered, lease.reused)),
    }
}

/// On a connection that others share.
async fn send_on_http2(
    exchange: &Exchange,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let carrier = &exchange.carrier;
    let (worker, reuse, time) = (carrier.worker(), attempts.reuse(), exchange.connect_timeout());
    let mut lease = endpoint.lease(carrier.client(), Reuse::No, worker.timers.now());
    let slot = take_slot(carrier, endpoint, reuse, time).await.map_err(Failed::unsent)?;
    worker.cells.upstream_reuses.add(u64::from(slot.reused));
    lease.reused = !slot.fresh;
    carrier.await_head();
    match slot.send(carrier, attempts.take_request()).await {
        Ok(answered) => {
            lease.slot = Some(slot);
            Ok((lease, answered))
        }
        Err(unanswered) => Err(failed(carrier, attempts, *unanswered, lease.reused)),
    }
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

fn failed(carrier: &Carrier, attempts: &mut Attempts, unanswered: Unanswered, reused: bool) -> Failed {
    let Unanswered { why, request, answered, unseen } = unanswered;
    let sent = request.is_none();
    attempts.keep(request);
    Failed { why: carrier.fault().unwrap_or(why), sent, answered, reused, unseen }
}

/// Hands the upstream's response to the client.
fn relay(mut exchange: Exchange, lease: Lease, answered: Answered) -> Response<ResponseBody> {
    let (mut head, body) = answered.into_parts();
    heads::for_client(&exchange, &mut head);
    exchange.answered(head.status);
    let has_no_body = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if has_no_body || exchange.asks_for_head {
        let length = headers::length_of_no_body(head.status, &mut head.headers);
        // Of an answer to HEAD, and over HTTP/2, hyper writes it as it stands.
        let length = length.filter(|_| !exchange.asks_for_head && !exchange.carrier.is_stream());
        ResponseBody::absent(length, lease, exchange)
    } else {
        let is_call = exchange.carrier.request().is_grpc.get() && grpc::is_answer(&head.headers);
        ResponseBody::Relayed(Relay::new(body, lease, exchange, is_call))
    };
    Response::from_parts(head, body)
}
