//! What is remembered of a request, and where it ends up: metrics and the access log.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, Request, StatusCode, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use model::{Balance, Protocol, Route};

use super::call;
use crate::access_log::Draft;
use crate::connection::Client;
use crate::error::Refusal;
use crate::timer::Wait;
use crate::upstream::{BackendPool, EndpointPool};

/// The status logged for a client that left before its response; nobody is ever sent it.
const CLIENT_GONE: u16 = 499;

/// One request's record. It begins with the request and is written when it is dropped: with the last byte of the
/// response, or wherever the request ended before.
pub(crate) struct Record {
    pub(crate) client: Rc<Client>,
    pub(crate) bytes_out: u64,
    /// The method is HEAD: whatever is answered has no body.
    pub(crate) asks_for_head: bool,
    started: Instant,
    status: Option<StatusCode>,
    refusal: Option<Refusal>,
    complete: bool,
    route: Option<Arc<Route>>,
    pool: Option<Rc<BackendPool>>,
    endpoint: Option<Rc<EndpointPool>>,
    attempts: u32,
    draft: Option<Draft>,
}

impl Record {
    pub(crate) fn begin(client: Rc<Client>, request: &Request<Incoming>) -> Record {
        let worker = &client.worker;
        client.in_flight.set(true);
        client.speaks_http10.set(request.version() == Version::HTTP_10);
        client.body_unread.set(!request.body().is_end_stream());
        client.requests.set(client.requests.get() + 1);
        client.timer.clear(Wait::Park);
        client.timer.set(Wait::Request, worker.config.max_request_time);
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
        call::begin(&client, request.headers());
        Record {
            client,
            bytes_out: 0,
            asks_for_head: request.method() == Method::HEAD,
            started: Instant::now(),
            status: None,
            refusal: None,
            complete: false,
            route: None,
            pool: None,
            endpoint: None,
            attempts: 0,
            draft,
        }
    }

    pub(super) fn found(&mut self, route: &Arc<Route>, pool: Rc<BackendPool>) {
        self.route = Some(Arc::clone(route));
        self.pool = Some(pool);
    }

    /// What is spoken where the request goes.
    pub(super) fn protocol(&self) -> Protocol {
        self.pool.as_ref().map_or_else(Protocol::default, |pool| pool.protocol())
    }

    pub(super) fn destination(&self) -> Result<(&BackendPool, Balance), Refusal> {
        match (&self.pool, &self.route) {
            (Some(pool), Some(route)) => Ok((pool, route.policy.balance)),
            _ => Err(Refusal::NoRoute),
        }
    }

    pub(super) fn attempt(&mut self, endpoint: &Rc<EndpointPool>) {
        self.attempts += 1;
        self.endpoint = Some(Rc::clone(endpoint));
    }

    /// The head of the response is known.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.client.responses.set(self.client.responses.get() + 1);
    }

    /// The response is ours, or it broke off.
    pub(crate) fn refused(&mut self, why: Refusal) {
        self.refusal = Some(why);
    }

    /// The response is whole, as far as it depends on the upstream.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Ends without a response, or before its end: somebody left.
    fn interrupted(&self) -> Option<Refusal> {
        let why = if self.client.worker.stopping.get() { Refusal::Cut } else { Refusal::ClientGone };
        (!self.complete).then(|| self.client.fault_of_request().unwrap_or(why))
    }

    fn write(&self, draft: Draft, status: u16, refusal: Option<Refusal>, micros: u64) {
        self.client.worker.log.finish(draft, |line| {
            match &*self.client.forwarding.borrow() {
                Some(forwarding) => line.bytes("client", forwarding.peer.as_bytes()),
                None => line.text("client", &self.client.peer().ip().to_string()),
            }
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

/// Whom the request is for, as it was written. HTTP/2 has it in the target (RFC 9113 §8.3.1).
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

impl Drop for Record {
    fn drop(&mut self) {
        let worker = &self.client.worker;
        let refusal = self.refusal.or_else(|| self.interrupted());
        if !self.complete {
            self.client.abort.set(true);
        }
        let status = self.status.map_or(CLIENT_GONE, |status| status.as_u16());
        let took = self.started.elapsed();
        worker.cells.requests_in_flight.sub(1);
        worker.cells.record(status, took);
        if let Some(refusal) = refusal {
            worker.cells.refusals.of(refusal).add(1);
        }
        if let Some(pool) = &self.pool {
            pool.cells.record(status);
        }
        if let Some(draft) = self.draft.take() {
            self.write(draft, status, refusal, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        self.client.timer.clear(Wait::Upstream);
        self.client.timer.clear(Wait::Request);
        self.client.in_flight.set(false);
    }
}
