//! A request, from its head to the last byte of its response: `admit → find_route → pick_endpoint → send → relay →
//! record`, in that order.

mod admit;
mod attempts;
mod call;
mod facts;
pub(crate) mod forwarding;
pub(crate) mod headers;
mod record;
mod switch;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use http::uri::Uri;
use http::{Method, Request, Response, StatusCode, Version, header, response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use model::{Facts, Protocol, Route};

pub(crate) use self::admit::{Admitted, admit};
use self::attempts::{Attempts, Failed};
use self::facts::RequestFacts;
pub(crate) use self::forwarding::Forwarding;
pub(crate) use self::record::Record;
pub(crate) use self::switch::Switch;
use self::switch::switch;
use crate::body::{Relay, RequestBody, ResponseBody};
use crate::connection::Client;
use crate::error::Refusal;
use crate::respond;
use crate::timer::Wait;
use crate::upstream::{
    Answered, BackendPool, EndpointPool, Lease, Reuse, Unanswered, View, connect, take_place,
};
use crate::worker::Worker;

/// Serves one request. Always yields a response; what cannot be served is answered by `respond`.
///
/// What can be decided at once is, before there is a future: a connection keeps room for this future, and with
/// hundreds of connections the size of what is kept is what a request costs.
pub(crate) fn serve(
    client: Rc<Client>,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> {
    admit::escape(&mut request);
    let mut record = Record::begin(client, &request);
    let mut decided = decide(&mut record, request);
    async move {
        let answered = match &mut decided {
            Ok(attempts) => attempt(&mut record, attempts).await,
            Err(why) => Err(*why),
        };
        Ok(match answered {
            Ok((lease, answered)) if lease.switched => Box::pin(switch(record, lease, answered)).await,
            Ok((lease, answered)) => relay(record, lease, answered),
            Err(why) => respond::refuse(record, why),
        })
    }
}

/// Whether the request may be sent, where to, and as what.
fn decide(record: &mut Record, request: Request<Incoming>) -> Result<Attempts, Refusal> {
    let client = Rc::clone(&record.client);
    let target = match find(record, &request) {
        Ok(target) => target,
        Err(why) => {
            client.leave_unread(request.into_body());
            return Err(why);
        }
    };
    let protocol = record.protocol();
    let request = prepare(&client, request, target, protocol)?;
    Ok(Attempts::new(request, &client.worker.config.upstream, protocol.is_http2()))
}

/// Whether the request may be sent, and where to; and its target, if that is to be another one.
fn find(record: &mut Record, request: &Request<Incoming>) -> Result<Option<Uri>, Refusal> {
    let client = Rc::clone(&record.client);
    let admitted = admit(&client, request)?;
    has_room(&client.worker)?;
    is_directed(&client, &admitted)?;
    let view = client.worker.upstreams.view();
    let (route, backend) = find_route(&view, &RequestFacts { admitted: &admitted, request })?;
    let target = admit::target(request.uri());
    record.found(route, client.worker.upstreams.pool(&view, backend));
    Ok(target)
}

/// Whether there is memory and a place for this request, which is counted already.
fn has_room(worker: &Worker) -> Result<(), Refusal> {
    worker.overload.check_memory()?;
    let in_flight = worker.cells.requests_in_flight.get();
    if in_flight > worker.requests_max { Err(Refusal::Requests) } else { Ok(()) }
}

/// Whether the TLS connection, if it is one, was opened for this host: else whatever its certificate was to ensure was
/// not ensured for this request.
fn is_directed(client: &Client, admitted: &Admitted<'_>) -> Result<(), Refusal> {
    let (Some(secure), Some(host)) = (client.secure.get(), &admitted.host) else { return Ok(()) };
    let name = secure.name.as_deref();
    if name == Some(host.name()) || secure.tls.certificates.load().serves_alike(name, host.name()) {
        Ok(())
    } else {
        Err(Refusal::Misdirected)
    }
}

/// The way to an endpoint and back, again for each attempt.
async fn attempt(record: &mut Record, attempts: &mut Attempts) -> Result<(Lease, Answered), Refusal> {
    loop {
        let endpoint = pick_endpoint(record, attempts)?;
        match send(record, &endpoint, attempts).await {
            Ok(answer) => return Ok(answer),
            Err(failed) => attempts.again(&record.client, endpoint, failed)?,
        }
    }
}

/// The route of the snapshot that the request began with, and which backend of its target the request goes to, at every
/// attempt.
fn find_route<'v>(view: &'v View, facts: &impl Facts) -> Result<(&'v Arc<Route>, u32), Refusal> {
    let route = view.table.find(facts).ok_or(Refusal::NoRoute)?;
    Ok((route, route.target.choose(facts, |total| fastrand::u64(..total))))
}

/// An endpoint that was not tried yet. Pools follow each publication, so a second attempt sees the newest endpoints.
fn pick_endpoint(record: &Record, attempts: &Attempts) -> Result<Rc<EndpointPool>, Refusal> {
    let worker = &record.client.worker;
    worker.upstreams.refresh();
    let (pool, balance): (&BackendPool, _) = record.destination()?;
    let now = worker.timers.now();
    let endpoint = pool.pick(balance, |endpoint| attempts.prefers(endpoint), now);
    let endpoint = endpoint.or_else(|| pool.pick(balance, |endpoint| attempts.may_try(endpoint), now));
    endpoint.ok_or_else(|| attempts.last_failure().unwrap_or(Refusal::NoEndpoint))
}

/// One attempt.
async fn send(
    record: &mut Record,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    record.attempt(endpoint);
    let client = &record.client;
    let (mut lease, answered) = if endpoint.transport.protocol.is_http2() {
        // Boxed, so that a connection of HTTP/1 keeps no room for it.
        Box::pin(send_on_http2(client, endpoint, attempts)).await?
    } else {
        send_on_http1(client, endpoint, attempts).await?
    };
    lease.switched = check(client, &answered, endpoint)?;
    client.timer.clear(Wait::Upstream);
    client.timer.clear(Wait::Request);
    if client.is_stream {
        // A client that has its answer may be silent for as long as the endpoint is not.
        client.timer.clear(Wait::Client);
    }
    Ok((lease, answered))
}

/// On a pooled connection where that is safe, else on a fresh one.
async fn send_on_http1(
    client: &Rc<Client>,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let worker = &client.worker;
    let mut lease = endpoint.lease(client, attempts.reuse(), worker.timers.now());
    let exchange = match &mut lease.exchange {
        Some(exchange) => {
            worker.cells.upstream_reuses.add(1);
            exchange
        }
        // Boxed, because few requests need the room.
        none => match Box::pin(connect(client, endpoint)).await {
            Ok(exchange) => none.insert(exchange),
            Err(why) => return Err(Failed::unsent(why)),
        },
    };
    client.await_head();
    match exchange.send(client, attempts.take_request()).await {
        Ok(answered) => Ok((lease, answered)),
        Err(unanswered) => Err(failed(client, attempts, *unanswered, lease.reused)),
    }
}

/// On a connection that others share.
async fn send_on_http2(
    client: &Rc<Client>,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let (worker, reuse) = (&client.worker, attempts.reuse());
    let mut lease = endpoint.lease(client, Reuse::No, worker.timers.now());
    let place = take_place(client, endpoint, reuse).await.map_err(Failed::unsent)?;
    worker.cells.upstream_reuses.add(u64::from(place.reused));
    lease.reused = !place.fresh;
    client.await_head();
    match place.send(client, attempts.take_request()).await {
        Ok(answered) => {
            lease.place = Some(place);
            Ok((lease, answered))
        }
        Err(unanswered) => Err(failed(client, attempts, *unanswered, lease.reused)),
    }
}

/// Whether the head of an answer can be passed on; and whether by it the endpoint agrees to a switch of protocols.
fn check(client: &Client, answered: &Answered, endpoint: &EndpointPool) -> Result<bool, Failed> {
    // hyper counts those of HTTP/1, and with HTTP/2 nobody does.
    let too_many = answered.headers().len() > client.worker.config.upstream.head_fields_max;
    if too_many || !headers::is_framed_well(answered.headers()) {
        return Err(Failed::answered(Refusal::BadResponse));
    }
    switch::is_agreed(client, answered, endpoint.transport.protocol).map_err(Failed::answered)
}

fn failed(client: &Client, attempts: &mut Attempts, unanswered: Unanswered, reused: bool) -> Failed {
    let Unanswered { why, request, answered, unseen } = unanswered;
    let sent = request.is_none();
    attempts.keep(request);
    Failed { why: client.fault_of_request().unwrap_or(why), sent, answered, reused, unseen }
}

/// Makes the client's head fit for an upstream.
fn prepare(
    client: &Rc<Client>,
    request: Request<Incoming>,
    target: Option<Uri>,
    protocol: Protocol,
) -> Result<Request<RequestBody>, Refusal> {
    let (mut head, body) = request.into_parts();
    if head.version == Version::HTTP_2 {
        headers::as_http1(&head.uri, &mut head.headers);
    }
    let trailers = headers::wants_trailers(&head.headers);
    let switch = if body.is_end_stream() { Switch::wanted(&mut head, protocol) } else { None };
    headers::strip_hop_by_hop(&mut head.headers);
    // Of these two hyper takes it for granted that they have no body, and would drop one of unknown length.
    if !protocol.is_http2()
        && matches!(head.method, Method::GET | Method::HEAD)
        && !body.is_end_stream()
        && body.size_hint().exact().is_none()
    {
        head.headers.insert(header::TRANSFER_ENCODING, http::HeaderValue::from_static("chunked"));
    }
    forwarding::forward(client, &mut head.headers);
    if trailers {
        head.headers.insert(header::TE, http::HeaderValue::from_static("trailers"));
    }
    match &switch {
        Some(switch) => switch.ask(&mut head, protocol),
        None => client.keep_protocol(),
    }
    client.switch.replace(switch.map(Box::new));
    head.version = Version::HTTP_11;
    if let Some(target) = target {
        head.uri = target;
    }
    if protocol.is_http2() {
        headers::as_http2(&mut head, protocol).ok_or(Refusal::BadHost)?;
    }
    Ok(Request::from_parts(head, RequestBody::new(body, Rc::clone(client))))
}

/// A status that nobody knows has no reason over HTTP/2, and hyper would make up one.
fn name_no_reason(head: &mut response::Parts) {
    if head.status.canonical_reason().is_none() && head.extensions.get::<ReasonPhrase>().is_none() {
        head.extensions.insert(ReasonPhrase::from_static(b""));
    }
}

/// Hands the upstream's response to the client. With HTTP/1 a drain shows here, and in `respond`: at the last moment at
/// which it can be said, the client is told that this connection will serve no further request.
fn relay(mut record: Record, lease: Lease, answered: Answered) -> Response<ResponseBody> {
    let (mut head, body) = answered.into_parts();
    headers::strip_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    record.client.refuse_protocol();
    if record.client.must_close() {
        record.client.say_close(&mut head.headers, &mut head.version);
    }
    record.answered(head.status);
    name_no_reason(&mut head);
    let has_no_body = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if has_no_body || record.asks_for_head {
        let length = headers::length_of_no_body(head.status, &mut head.headers);
        // Of an answer to HEAD, and over HTTP/2, hyper writes it as it stands.
        let length = length.filter(|_| !record.asks_for_head && !record.client.is_stream);
        ResponseBody::absent(length, lease, record)
    } else {
        let is_call = call::is_answer(&record.client, &head.headers);
        ResponseBody::Relayed(Relay::new(body, lease, record, is_call))
    };
    Response::from_parts(head, body)
}
