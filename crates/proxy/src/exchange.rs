//! One request and its answer: what carries it, where it goes, what it came to, and where that ends up: metrics and the
//! access log.
//!
//! It is a value, owned where the request is served: first by its future, then by the body of its answer, or by the tunnel
//! that it has become. With it the request ends, wherever that is.

mod beside;

use std::cell::{Cell, OnceCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use model::{Edge, Filters, ObjectRef, Policy, Protocol, Retry, Route};

use crate::access_log::Draft;
use crate::client::Carrier;
use crate::error::Refusal;
use crate::forwarding;
use crate::grpc;
use crate::limiter::Place;
use crate::timer::Wait;
use crate::upstream::{BackendPool, EndpointPool};

use self::beside::Beside;
pub(crate) use self::beside::Kept;

/// The status logged for a client that left before its response; it is never sent.
const CLIENT_GONE: u16 = 499;

/// One request and its answer. It begins with the request and is recorded when it is dropped: with the last byte of the
/// answer, or wherever the request ended before.
pub(crate) struct Exchange {
    pub(crate) carrier: Carrier,
    pub(crate) bytes_out: u64,
    /// The method is HEAD: whatever is answered has no body.
    pub(crate) asks_for_head: bool,
    /// Where it is counted as one of its client's in flight, if its route limits those.
    pub(crate) counted_at: Cell<Option<Place>>,
    started: Instant,
    status: Option<StatusCode>,
    refusal: Option<Refusal>,
    complete: bool,
    route: Option<Arc<Route>>,
    pool: Option<Rc<BackendPool>>,
    endpoint: Option<Rc<EndpointPool>>,
    attempts: u16,
    draft: Option<Draft>,
    /// What few requests need.
    beside: OnceCell<Box<Beside>>,
}

impl Exchange {
    pub(crate) fn begin(carrier: Carrier, request: &Request<Incoming>) -> Exchange {
        let worker = carrier.worker();
        let is_grpc = carrier.is_stream() && grpc::is_call(request.headers());
        carrier.request().begin(request, is_grpc);
        carrier.await_answer();
        if is_grpc && let Some(time) = grpc::time_max(request.headers()) {
            carrier.timer().set(Wait::Call, time);
        }
        worker.cells.requests_in_flight.add(1);
        let draft = worker.log.draft(|line| {
            line.text("method", request.method().as_str());
            line.bytes("host", host(request));
            line.text("target", request.uri().path_and_query().map_or("", |target| target.as_str()));
            line.text("protocol", protocol(request.version()));
            if let Some(agent) = request.headers().get(header::USER_AGENT) {
                line.bytes("user_agent", agent.as_bytes());
            }
        });
        Exchange {
            carrier,
            bytes_out: 0,
            asks_for_head: request.method() == Method::HEAD,
            counted_at: Cell::new(None),
            started: Instant::now(),
            status: None,
            refusal: None,
            complete: false,
            route: None,
            pool: None,
            endpoint: None,
            attempts: 0,
            draft,
            beside: OnceCell::new(),
        }
    }

    /// Where it leads.
    pub(crate) fn found(&mut self, route: &Arc<Route>, pool: Option<Rc<BackendPool>>) {
        self.carrier.request().keep_times(&route.policy.timeouts);
        self.carrier.await_answer();
        self.route = Some(Arc::clone(route));
        pool.iter().for_each(|pool| pool.cells.in_flight.add(1));
        self.pool = pool;
    }

    /// Its route, once that is found.
    pub(crate) fn route(&self) -> Option<&Arc<Route>> {
        self.route.as_ref()
    }

    /// What is spoken where the request goes.
    pub(crate) fn protocol(&self) -> Protocol {
        self.pool.as_ref().map_or_else(Protocol::default, |pool| pool.protocol())
    }

    /// What applies to the route that was found.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.route.as_ref().map(|route| &*route.policy)
    }

    /// The object that its route was written in.
    pub(crate) fn object(&self) -> Option<&ObjectRef> {
        self.route.as_ref().map(|route| &*route.origin.object)
    }

    /// What is done with it and its answer on the way.
    pub(crate) fn filters(&self) -> Option<&Filters> {
        self.policy()?.filters.as_deref()
    }

    /// What is told of its client, and to it, where that is not the proxy's own way.
    pub(crate) fn edge(&self) -> Option<&Edge> {
        self.policy()?.edge.as_deref()
    }

    /// The client's address as endpoints are told it (`X-Real-IP`); none if a trusted proxy has told nonsense.
    pub(crate) fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        self.carrier.client().address(self.edge(), headers)
    }

    /// The scheme that the client speaks, or what one that is believed says of it.
    pub(crate) fn scheme_as_told<'h>(&self, headers: &'h HeaderMap) -> &'h [u8] {
        let client = self.carrier.client();
        // A load balancer that tells of this port has ended TLS by itself.
        if client.connected_to() == Some(443) {
            return b"https";
        }
        self.told(headers, &forwarding::PROTO).unwrap_or(client.scheme().as_bytes())
    }

    /// What a client that is believed says in a field of its request.
    pub(crate) fn told<'h>(&self, headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
        match self.edge().filter(|edge| edge.believes_clients) {
            Some(_) => headers.get(name).map(HeaderValue::as_bytes),
            None => self.carrier.client().told(headers, name),
        }
    }

    /// What its route says of further attempts.
    pub(crate) fn retry(&self) -> Retry {
        self.policy().map(|policy| policy.retry).unwrap_or_default()
    }

    /// How long ago it began.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long it may wait for a connection, or for a place on one.
    pub(crate) fn connect_timeout(&self) -> Duration {
        let own = self.policy().and_then(|policy| policy.timeouts.connect);
        own.unwrap_or(self.carrier.worker().config.upstream.connect_timeout)
    }

    /// Bytes that its body may have.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        let (own, most) = (
            self.policy().and_then(|policy| policy.request_body_max),
            self.carrier.client().limits().body_bytes_max,
        );
        own.map_or(most, |own| own.min(most))
    }

    /// How long an endpoint may be silent in the body of its answer.
    pub(crate) fn body_timeout(&self) -> Duration {
        let own = self.policy().and_then(|policy| policy.timeouts.body);
        own.unwrap_or(self.carrier.worker().config.upstream.body_timeout)
    }

    /// How long nothing may be said in the tunnel that it has become.
    pub(crate) fn tunnel_timeout(&self) -> Duration {
        let own = self.policy().and_then(|policy| policy.timeouts.tunnel);
        own.unwrap_or(self.carrier.client().limits().tunnel_idle_timeout)
    }

    /// The endpoints that it may go to.
    pub(crate) fn pool(&self) -> Option<&Rc<BackendPool>> {
        self.pool.as_ref()
    }

    /// It is to be sent to this endpoint.
    pub(crate) fn attempt(&mut self, endpoint: &Rc<EndpointPool>) {
        self.attempts = self.attempts.saturating_add(1);
        self.endpoint = Some(Rc::clone(endpoint));
    }

    /// The head of the response is known.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.carrier.request().is_answered.set(true);
    }

    /// The response is ours, or it broke off.
    pub(crate) fn refused(&mut self, why: Refusal) {
        self.refusal = Some(why);
    }

    /// The response is whole, as far as it depends on the upstream.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Ends without a response, or before its end: one side has left.
    fn interrupted(&self) -> Option<Refusal> {
        let why = if self.carrier.worker().stopping.get() { Refusal::Cut } else { Refusal::ClientGone };
        (!self.complete).then(|| self.carrier.fault().unwrap_or(why))
    }

    /// Counts what it came to, and logs it.
    fn record(&mut self) {
        let worker = Rc::clone(self.carrier.worker());
        let refusal = self.refusal.or_else(|| self.interrupted());
        let status = self.status.map_or(CLIENT_GONE, |status| status.as_u16());
        let took = self.started.elapsed();
        worker.cells.requests_in_flight.sub(1);
        worker.cells.record(status, took);
        if let Some(refusal) = refusal {
            worker.cells.refusals.of(refusal).add(1);
        }
        if let Some(pool) = &self.pool {
            pool.cells.record(status, took);
            pool.cells.in_flight.sub(1);
        }
        if let Some(draft) = self.draft.take()
            && !self.policy().is_some_and(|policy| policy.is_unlogged)
        {
            self.write(draft, status, refusal, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    fn write(&self, draft: Draft, status: u16, refusal: Option<Refusal>, micros: u64) {
        self.carrier.worker().log.finish(draft, |line| {
            self.carrier.client().with_address(|address| line.bytes("client", address));
            line.number("status", u64::from(status));
            line.number("bytes", self.bytes_out);
            line.number("duration_us", micros);
            line.number("attempts", u64::from(self.attempts));
            if let Some(route) = &self.route {
                line.text("namespace", &route.origin.object.namespace);
                line.text("ingress", &route.origin.object.name);
            }
            if let Some(pool) = &self.pool {
                line.text("service", &pool.cells.key.service);
            }
            if let Some(endpoint) = &self.endpoint {
                line.text("upstream", &endpoint.address);
            }
            if let Some(refusal) = refusal {
                line.text("error", refusal.as_str());
            }
        });
    }
}

/// The host that the request is for, as it was written. HTTP/2 has it in the target (RFC 9113 §8.3.1).
fn host<B>(request: &Request<B>) -> &[u8] {
    let field = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
    field.or_else(|| Some(request.uri().authority()?.as_str().as_bytes())).unwrap_or_default()
}

/// The words of RFC 9110 §2.5, as other proxies' logs have them.
fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.complete {
            self.carrier.abort();
        }
        self.record();
        if let Some(place) = self.counted_at.take() {
            self.carrier.worker().limiter.end(place);
        }
        self.carrier.timer().clear(Wait::Upstream);
        self.carrier.timer().clear(Wait::Request);
        self.carrier.timer().clear(Wait::Throttle);
        self.carrier.request().is_open.set(false);
    }
}
