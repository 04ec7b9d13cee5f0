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
//! A route may say otherwise for what an endpoint may have seen ([`RetryOn`](model::RetryOn)): that an answer is late,
//! is none of HTTP, or has a status as 503, may be a reason, too; then methods that are not idempotent may be sent
//! twice, or not even the others. An answer with such a status is passed on all the same where there is no other
//! endpoint to ask.
//!
//! A body is kept as long as all of it that came is short.
//!
//! A request that could not be tried again takes no connection that has been idle for more than a moment: the upstream
//! may be closing it just now.

mod outgoing;
mod reason;
mod spare;

use std::num::NonZeroU16;
use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Body;
use model::{Retry, RetryOn};

use self::reason::{is_final, is_over, reason};
use self::spare::Spare;
use super::filter::Awaited;
use super::heads::Outgoing;
use super::upgrade::Upgrade;
use crate::client::Carrier;
use crate::error::{Refusal, Side};
use crate::exchange::Exchange;
use crate::timer::{Wait, ticks};
use crate::upstream::{EndpointPool, Keyed, Replay, RequestBody, RequestHead, Reuse, Upstreams};

/// How long a connection may have been idle to carry a request that cannot be tried again. The shortest keep-alive
/// time in wide use is that of Node.js, 5 s.
const YOUNG: Duration = Duration::from_secs(1);
/// How long others are preferred to an endpoint that refused a connection.
const AVOID: Duration = Duration::from_secs(1);

/// One request and its attempts.
pub(super) struct Attempts {
    /// Its head; without its fields once that is bytes, or was sent over HTTP/2 for good.
    head: Parts,
    /// What is written to endpoints of HTTP/1.
    written: Option<RequestHead>,
    /// Its body, for the next attempt.
    body: Option<RequestBody>,
    /// The upgrade that it asks for.
    pub(super) upgrade: Option<Box<Upgrade>>,
    /// What of it decides on its endpoint.
    pub(super) keyed: Option<Box<Keyed>>,
    /// What is waited for before it is sent, and then what came of that.
    pub(super) awaited: Option<Box<Awaited>>,
    /// Where it may be sent.
    pub(super) upstreams: Rc<Upstreams>,
    tried: Vec<Tried>,
    last_failure: Option<Refusal>,
    left: u16,
    /// Fresh connections that may still die of it.
    deaths_left: u16,
    /// What another attempt has of the body, where there may be one after it was sent.
    spare: Option<Spare>,
    reuse: Reuse,
}

/// An endpoint that an attempt was made at.
struct Tried {
    endpoint: Rc<EndpointPool>,
    /// It has not looked at the request, and may be asked again.
    unseen: bool,
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

    /// It is answered, and another endpoint's answer is preferred.
    pub(super) fn unwanted() -> Failed {
        Failed { why: Refusal::NoEndpoint, sent: true, answered: false, reused: false, unseen: false }
    }

    pub(super) fn answered(why: Refusal) -> Failed {
        Failed { why, sent: true, answered: true, reused: false, unseen: false }
    }
}

impl Attempts {
    pub(super) fn new(
        outgoing: Outgoing,
        keyed: Option<Box<Keyed>>,
        upstreams: &Rc<Upstreams>,
        exchange: &Exchange,
    ) -> Attempts {
        let Outgoing { request, upgrade, lines } = outgoing;
        let (left, deaths_left) = limits(exchange);
        let retry = exchange.retry();
        // Where there is only one attempt, nothing is kept for another.
        let idempotent =
            left > 1 && (request.method().is_idempotent() || retry.is_on(RetryOn::NON_IDEMPOTENT));
        // An endpoint of HTTP/2 may refuse a request after it was sent, and say that it has not looked at it.
        let may_be_refused = left > 1 && exchange.protocol().is_http2();
        let has_body = !request.body().is_end_stream();
        // One that may turn out to be too long to be kept takes no connection that may die of it.
        let is_short = !has_body || Replay::keeps(&request.body().size_hint());
        // One of unknown length is kept as far as there is room, where its route may want another answer.
        let is_kept = may_be_refused || (idempotent && (is_short || retry.on.is_some()));
        let (mut head, body) = request.into_parts();
        let (body, replay) = if has_body && is_kept { body.into_replay() } else { (body, None) };
        let repeatable = idempotent && (!has_body || replay.is_some());
        Attempts {
            spare: (repeatable || may_be_refused).then(|| Spare::new(replay, repeatable)),
            // With such lines nothing changes the fields any more.
            written: lines.map(|lines| RequestHead::new(&mut head, &body, Some(&lines))),
            head,
            body: Some(body),
            upgrade,
            keyed,
            awaited: None,
            upstreams: Rc::clone(upstreams),
            tried: Vec::new(),
            last_failure: None,
            left,
            deaths_left,
            reuse: if repeatable && is_short && retry.is_on(RetryOn::ERROR) {
                Reuse::Any
            } else {
                Reuse::Young(ticks(YOUNG))
            },
        }
    }

    /// Whether an endpoint may be tried: one that has failed may not.
    pub(super) fn may_try(&self, endpoint: &Rc<EndpointPool>) -> bool {
        !self.tried.iter().any(|tried| Rc::ptr_eq(&tried.endpoint, endpoint) && !tried.unseen)
    }

    /// Whether it should be, too: one that has not looked at the request may have no room for any, or be about to end.
    pub(super) fn prefers(&self, endpoint: &Rc<EndpointPool>) -> bool {
        !self.tried.iter().any(|tried| Rc::ptr_eq(&tried.endpoint, endpoint))
    }

    pub(super) fn last_failure(&self) -> Option<Refusal> {
        self.last_failure
    }

    pub(super) fn reuse(&self) -> Reuse {
        self.reuse
    }

    /// The fields of its head, as long as it was not sent.
    pub(super) fn head(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Changes its head, for all attempts.
    pub(super) fn edit_head(&mut self, edit: impl FnOnce(&mut HeaderMap)) {
        edit(&mut self.head.headers);
    }

    /// Prepares another attempt, or says why there is none.
    pub(super) fn again(
        &mut self,
        exchange: &Exchange,
        endpoint: Rc<EndpointPool>,
        failed: Failed,
    ) -> Result<(), Refusal> {
        let (carrier, retry) = (&exchange.carrier, exchange.retry());
        let Failed { why, sent, answered, reused, unseen } = failed;
        self.left = self.left.saturating_sub(1);
        self.last_failure = Some(why);
        if carrier.timer().expired(Wait::Call) {
            return Err(Refusal::CallTimeout);
        }
        let is_asked = unseen || reason(why).is_some_and(|reason| retry.is_on(reason));
        // What is none of HTTP has begun to come, and none of it was passed on.
        let is_too_late = answered && !(why == Refusal::BadResponse && is_asked);
        let hopeless = self.left == 0 || is_too_late || why.side() == Side::Downstream || is_final(why);
        if hopeless || (sent && !is_asked) || is_over(exchange, &retry) {
            return Err(why);
        }
        if sent {
            let again = self.spare.as_ref().and_then(|spare| spare.body(carrier, unseen));
            self.body = Some(again.ok_or(why)?);
        }
        let is_away = matches!(why, Refusal::Connect | Refusal::ConnectTimeout | Refusal::Handshake);
        if endpoint.transport.by_service {
            return self.again_behind_it(carrier, endpoint, why);
        }
        if is_away {
            endpoint.avoid_until(carrier.worker().timers.after(AVOID));
        }
        if is_away || why == Refusal::EndpointBusy {
            self.tried.push(Tried { endpoint, unseen: false });
        } else if unseen {
            self.tried.push(Tried { endpoint, unseen });
        } else if sent && !(reused && why == Refusal::UpstreamClosed) {
            self.deaths_left = self.deaths_left.saturating_sub(1);
            if self.deaths_left == 0 {
                return Err(why);
            }
            self.tried.push(Tried { endpoint, unseen });
        }
        self.count_again(carrier);
        Ok(())
    }

    /// Prepares another attempt at a Service's own address: there may be another endpoint behind it.
    fn again_behind_it(
        &mut self,
        carrier: &Carrier,
        endpoint: Rc<EndpointPool>,
        why: Refusal,
    ) -> Result<(), Refusal> {
        self.deaths_left = self.deaths_left.saturating_sub(1);
        if self.deaths_left == 0 {
            return Err(why);
        }
        self.tried.push(Tried { endpoint, unseen: true });
        self.count_again(carrier);
        Ok(())
    }

    fn count_again(&mut self, carrier: &Carrier) {
        // What killed one idle connection, such as a restart, has killed its siblings too.
        self.reuse = Reuse::No;
        carrier.worker().cells.retries.add(1);
    }

    /// Whether an answer with this status is a reason to ask another endpoint, and there is one that may be asked.
    pub(super) fn prefers_another_answer(
        &self,
        exchange: &Exchange,
        endpoint: &Rc<EndpointPool>,
        status: StatusCode,
    ) -> bool {
        let retry = exchange.retry();
        let is_asked = retry
            .on
            .is_some_and(|on| RetryOn::status(status.as_u16()).is_some_and(|status| on.contains(status)));
        if !is_asked || self.left <= 1 || self.deaths_left <= 1 || is_over(exchange, &retry) {
            return false;
        }
        let is_other = |other: &Rc<EndpointPool>| !Rc::ptr_eq(other, endpoint) && self.may_try(other);
        self.spare.as_ref().is_some_and(Spare::is_repeatable)
            && exchange.pool().is_some_and(|pool| pool.has(is_other))
    }
}

/// How many attempts there may be, and how many endpoints' fresh connections may die of it: as its route says, else as the proxy
/// is set to.
fn limits(exchange: &Exchange) -> (u16, u16) {
    let limits = &exchange.carrier.worker().config.upstream;
    let Retry { attempts, endpoints, .. } = exchange.retry();
    let limit = |own: Option<NonZeroU16>, limit: u32| {
        own.map_or_else(|| u16::try_from(limit).unwrap_or(u16::MAX), NonZeroU16::get)
    };
    (limit(attempts, limits.attempts_max), limit(endpoints, limits.deaths_max))
}
