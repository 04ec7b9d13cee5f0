//! Which failures may be tried again, and where (RFC 9110 §9.2.2).
//!
//! | what is known                                | method          | body             | next                    |
//! |----------------------------------------------|-----------------|------------------|-------------------------|
//! | no byte was sent                             | any             | untouched        | another endpoint        |
//! | a reused connection died, nothing came back  | idempotent      | none, or kept    | a fresh connection      |
//! | a fresh connection died, nothing came back   | idempotent      | none, or kept    | another endpoint, a few |
//! |                                              |                 |                  | times                   |
//! | an endpoint of HTTP/2 says that it has not   | any             | none, or kept    | a fresh connection, to  |
//! | looked at it (RFC 9113 §8.7), or its         |                 |                  | another endpoint if     |
//! | connection ended before it was written       |                 |                  | there is one            |
//! | a byte of a response came                    | –               | –                | never                   |
//!
//! A body is kept as long as all of it that came is short.
//!
//! A request that could not be tried again takes no connection that has been idle for more than a moment: the upstream
//! may be closing it just now.

use std::rc::Rc;
use std::time::Duration;

use http::{Request, request};
use http_body::Body;

use crate::body::{Replay, RequestBody};
use crate::config;
use crate::connection::Client;
use crate::error::{Refusal, Side};
use crate::timer::{Wait, ticks};
use crate::upstream::{EndpointPool, Reuse};

/// How long a connection may have been idle to carry a request that cannot be tried again. The shortest keep-alive
/// time in wide use is that of Node.js, 5 s.
const YOUNG: Duration = Duration::from_secs(1);
/// How long others are preferred to an endpoint that refused a connection.
const AVOID: Duration = Duration::from_secs(1);

/// One request and its attempts. The request stays here between them, and is moved out only to be sent.
pub(super) struct Attempts {
    request: Option<Request<RequestBody>>,
    tried: Vec<Rc<EndpointPool>>,
    /// Endpoints that have not looked at it.
    refused_by: Vec<Rc<EndpointPool>>,
    last_failure: Option<Refusal>,
    left: u32,
    /// A copy of the head of a request that may be sent twice.
    spare: Option<Box<request::Parts>>,
    /// Its body, where an endpoint may refuse it unseen.
    replay: Option<Rc<Replay>>,
    /// Whether it may be sent again although it may have been seen.
    repeatable: bool,
    /// Fresh connections that may still die of it.
    deaths_left: u32,
    reuse: Reuse,
}

/// An attempt that yielded no response.
#[derive(Clone, Copy)]
pub(super) struct Failed {
    pub(super) why: Refusal,
    /// Whether any of the request was sent.
    pub(super) sent: bool,
    pub(super) answered: bool,
    pub(super) reused: bool,
    /// Whether the endpoint says that it has not looked at what was sent.
    pub(super) unseen: bool,
}

impl Failed {
    pub(super) fn unsent(why: Refusal) -> Failed {
        Failed { why, sent: false, answered: false, reused: false, unseen: true }
    }

    pub(super) fn answered(why: Refusal) -> Failed {
        Failed { why, sent: true, answered: true, reused: false, unseen: false }
    }
}

impl Attempts {
    /// `may_be_refused`: the endpoint may refuse a request after it was sent, and say that it has not looked at it.
    pub(super) fn new(
        request: Request<RequestBody>,
        limits: &config::Upstream,
        may_be_refused: bool,
    ) -> Attempts {
        let (idempotent, has_body) = (request.method().is_idempotent(), !request.body().is_end_stream());
        // One that may turn out to be too long to be kept takes no connection that may die of it.
        let is_short = !has_body || Replay::keeps(&request.body().size_hint());
        let (request, replay) = if has_body && (may_be_refused || (idempotent && is_short)) {
            let (head, body) = request.into_parts();
            let (body, replay) = body.into_replay();
            (Request::from_parts(head, body), replay)
        } else {
            (request, None)
        };
        let repeatable = idempotent && (!has_body || replay.is_some());
        Attempts {
            tried: Vec::new(),
            refused_by: Vec::new(),
            last_failure: None,
            left: limits.attempts_max,
            spare: (repeatable || may_be_refused).then(|| Box::new(copy(&request))),
            replay,
            repeatable,
            request: Some(request),
            deaths_left: limits.deaths_max,
            reuse: if repeatable && is_short { Reuse::Any } else { Reuse::Young(ticks(YOUNG)) },
        }
    }

    /// Whether an endpoint may be tried: one that has failed may not.
    pub(super) fn may_try(&self, endpoint: &Rc<EndpointPool>) -> bool {
        !self.tried.iter().any(|tried| Rc::ptr_eq(tried, endpoint))
    }

    /// Whether it should be, too: one that has not looked at the request may have no room for any, or be about to end.
    pub(super) fn prefers(&self, endpoint: &Rc<EndpointPool>) -> bool {
        self.may_try(endpoint) && !self.refused_by.iter().any(|refused_by| Rc::ptr_eq(refused_by, endpoint))
    }

    pub(super) fn last_failure(&self) -> Option<Refusal> {
        self.last_failure
    }

    pub(super) fn reuse(&self) -> Reuse {
        self.reuse
    }

    /// The request, to be sent.
    pub(super) fn take_request(&mut self) -> Request<RequestBody> {
        self.request.take().expect("`again` puts a request back for each further attempt")
    }

    /// Takes back a request of which nothing was sent.
    pub(super) fn keep(&mut self, unsent: Option<Request<RequestBody>>) {
        self.request = unsent;
    }

    /// Prepares another attempt, or says why there is none.
    pub(super) fn again(
        &mut self,
        client: &Rc<Client>,
        endpoint: Rc<EndpointPool>,
        failed: Failed,
    ) -> Result<(), Refusal> {
        let Failed { why, sent, answered, reused, unseen } = failed;
        self.left = self.left.saturating_sub(1);
        self.last_failure = Some(why);
        if client.timer.expired(Wait::Call) {
            return Err(Refusal::CallTimeout);
        }
        let hopeless = self.left == 0 || answered || why.side() == Side::Downstream || is_final(why);
        if hopeless || client.timer.expired(Wait::Request) {
            return Err(why);
        }
        if sent {
            self.request = Some(self.spare_request(client, unseen).ok_or(why)?);
        }
        let is_away = matches!(why, Refusal::Connect | Refusal::ConnectTimeout | Refusal::Handshake);
        if is_away || why == Refusal::EndpointBusy {
            if is_away {
                endpoint.avoid_until(client.worker.timers.after(AVOID));
            }
            self.tried.push(endpoint);
        } else if unseen {
            self.refused_by.push(endpoint);
        } else if sent && !reused {
            self.deaths_left = self.deaths_left.saturating_sub(1);
            if self.deaths_left == 0 {
                return Err(why);
            }
            self.tried.push(endpoint);
        }
        // What killed one idle connection, such as a restart, has killed its siblings too.
        self.reuse = Reuse::No;
        client.worker.cells.retries.add(1);
        Ok(())
    }

    fn spare_request(&self, client: &Rc<Client>, unseen: bool) -> Option<Request<RequestBody>> {
        let head = self.spare.as_deref().filter(|_| self.repeatable || unseen)?;
        let body = match &self.replay {
            Some(replay) if replay.is_whole() => RequestBody::replayed(replay, Rc::clone(client)),
            Some(_) => return None,
            None => RequestBody::empty(Rc::clone(client)),
        };
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers.clone();
        *request.extensions_mut() = head.extensions.clone();
        Some(request)
    }
}

/// Whether another attempt would fail in the same way.
fn is_final(why: Refusal) -> bool {
    matches!(why, Refusal::ResponseTimeout | Refusal::Files | Refusal::Credentials | Refusal::NoWebSocket)
}

fn copy(request: &Request<RequestBody>) -> request::Parts {
    let mut head = Request::new(()).into_parts().0;
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.version = request.version();
    head.headers = request.headers().clone();
    // What CONNECT is for (RFC 8441 §4). Nothing else of what hyper keeps there is the endpoint's business.
    if let Some(wanted) = request.extensions().get::<hyper::ext::Protocol>() {
        head.extensions.insert(wanted.clone());
    }
    head
}
