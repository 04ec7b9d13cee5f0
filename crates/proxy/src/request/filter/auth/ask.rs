//! Asks another server about a request. As long as it has not spoken nothing of the request is read beyond its head, and
//! nothing is sent to an endpoint.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use http::{Request, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use model::{Balance, Filters};

use super::Question;
use crate::client::Carrier;
use crate::error::{Refusal, Side};
use crate::exchange::Exchange;
use crate::timer::Wait;
use crate::upstream::{EndpointPool, Lease, RequestBody, Reuse, connect};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Most endpoints that are asked one after the other, and idle connections that may turn out to be dead.
const ATTEMPTS_MAX: usize = 4;
/// How long others are preferred to an endpoint that refused a connection.
const AVOID: Duration = Duration::from_secs(1);
/// Longest body of an answer that is read, so that its connection can be used again.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long it is waited for.
const BODY_TIME: Duration = Duration::from_secs(1);

/// What another server has said.
pub(super) enum Word {
    /// The request may be sent.
    Yes(HeaderMap),
    /// It may not: 401 or 403.
    No(StatusCode, HeaderMap),
}

/// Asks. `sent` is the head of what would be sent to an endpoint, for the id that both are told.
///
/// # Errors
/// [`Refusal::AuthServer`]: it has said nothing that is a word. A fault of the client's own.
pub(super) async fn ask(
    exchange: &Exchange,
    question: Question,
    sent: Option<&HeaderMap>,
) -> Result<Word, Refusal> {
    let mut question = question;
    if let Some(id) = sent.and_then(|head| head.get(REQUEST_ID)) {
        question.head.insert(REQUEST_ID, id.clone());
    }
    let carrier = &exchange.carrier;
    let (words, timers) = (&carrier.worker().words, &carrier.worker().timers);
    let kept = question.print.as_ref().and_then(|print| words.look(print, &question.head, timers));
    if let Some((status, head)) = kept {
        return word(status, head);
    }
    let started = Instant::now();
    let asked = ask_endpoints(exchange, &question).await;
    carrier.timer().clear(Wait::Upstream);
    let (status, head) = asked.map_err(|why| {
        let of_client = carrier.fault().or((why.side() == Side::Downstream).then_some(why));
        of_client.unwrap_or(Refusal::AuthServer)
    })?;
    question.pool.cells.record(status.as_u16(), started.elapsed());
    let cache =
        exchange.filters().and_then(Filters::auth).and_then(|auth| auth.external.as_ref()?.cache.as_ref());
    if let (Some(print), Some(cache)) = (question.print, cache)
        && word(status, HeaderMap::new()).is_ok()
    {
        words.keep(cache, print, &question.head, (status, &head), timers);
    }
    word(status, head)
}

/// What an answer means.
fn word(status: StatusCode, head: HeaderMap) -> Result<Word, Refusal> {
    match status {
        _ if status.is_success() => Ok(Word::Yes(head)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(Word::No(status, head)),
        _ => Err(Refusal::AuthServer),
    }
}

async fn ask_endpoints(exchange: &Exchange, question: &Question) -> Result<(StatusCode, HeaderMap), Refusal> {
    let carrier = &exchange.carrier;
    let (client, timers) = (carrier.client(), &carrier.worker().timers);
    let (mut reuse, mut why) = (Reuse::Any, Refusal::NoEndpoint);
    let mut tried: Vec<Rc<EndpointPool>> = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        let untried = |endpoint: &Rc<EndpointPool>| !tried.iter().any(|tried| Rc::ptr_eq(tried, endpoint));
        let picked = question.pool.pick(Balance::LeastRequest, untried, timers.now());
        let Some(endpoint) = picked else { break };
        let mut lease = endpoint.lease(client, reuse, timers.now());
        if lease.connection.is_none() {
            match connect(carrier, &endpoint, carrier.worker().config.upstream.connect_timeout).await {
                Ok(connection) => lease.connection = Some(connection),
                Err(failed) => {
                    why = failed;
                    endpoint.avoid_until(timers.after(AVOID));
                    tried.push(endpoint);
                    continue;
                }
            }
        }
        match ask_on(carrier, lease, question).await {
            Ok(answer) => return Ok(answer),
            Err(failed) if carrier.is_too_late().is_some() => return Err(failed.0),
            // What killed one idle connection, such as a restart, has killed its siblings too.
            Err((failed, true)) => (reuse, why) = (Reuse::No, failed),
            Err((failed, false)) => {
                why = failed;
                tried.push(endpoint);
            }
        }
    }
    Err(why)
}

/// Asks on one connection; of a failure it is told whether that had been idle.
async fn ask_on(
    carrier: &Carrier,
    mut lease: Lease,
    question: &Question,
) -> Result<(StatusCode, HeaderMap), (Refusal, bool)> {
    let reused = lease.reused;
    let Some(connection) = &mut lease.connection else { return Err((Refusal::Connect, false)) };
    let worker = carrier.worker();
    carrier.timer().set(Wait::Upstream, worker.config.upstream.head_timeout);
    let mut request = Request::new(RequestBody::empty(carrier.clone()));
    *request.method_mut() = question.method.clone();
    *request.uri_mut() = question.target.clone();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = question.head.clone();
    let answered = connection.ask(carrier, request).await.map_err(|unanswered| (unanswered.why, reused))?;
    let (head, body) = answered.into_parts();
    carrier.timer().set(Wait::Upstream, BODY_TIME);
    if read_to_end(carrier, &mut lease, body).await {
        lease.give_back(worker.timers.now(), worker.config.upstream.idle_per_endpoint_max);
    }
    Ok((head.status, head.headers))
}

/// Reads an answer's body for its end alone, and says whether that has come.
async fn read_to_end(carrier: &Carrier, lease: &mut Lease, mut body: Incoming) -> bool {
    let mut left = BODY_BYTES_MAX;
    std::future::poll_fn(|cx| {
        let mut driven = false;
        loop {
            // Whatever wakes the connection wakes this task, so the body itself needs no waker.
            match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(Some(Ok(frame))) => {
                    let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                        return Poll::Ready(false);
                    };
                    (left, driven) = (rest, false);
                }
                Poll::Pending if driven => {
                    return if carrier.is_too_late().is_some() { Poll::Ready(false) } else { Poll::Pending };
                }
                Poll::Pending => {
                    if let Some(connection) = &mut lease.connection {
                        connection.poll(cx);
                    }
                    driven = true;
                }
            }
        }
    })
    .await
}
