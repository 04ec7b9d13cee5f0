//! What a failure is a reason for.

use model::{Retry, RetryOn};

use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::timer::Wait;

/// Whether another attempt would fail in the same way.
pub(super) fn is_final(why: Refusal) -> bool {
    matches!(why, Refusal::Files | Refusal::Credentials | Refusal::NoWebSocket)
}

/// Whether there is no time for another attempt.
pub(super) fn is_over(exchange: &Exchange, retry: &Retry) -> bool {
    exchange.carrier.timer().expired(Wait::Request)
        || retry.within.is_some_and(|within| exchange.age() >= within)
}

/// What a route calls this failure of an endpoint that may have seen the request; none if it is no reason in any case.
pub(super) fn reason(why: Refusal) -> Option<RetryOn> {
    match why {
        Refusal::ResponseTimeout => Some(RetryOn::TIMEOUT),
        Refusal::BadResponse => Some(RetryOn::INVALID_HEADER),
        // It was a status, which was looked at before.
        Refusal::NoEndpoint => Some(RetryOn::default()),
        _ => Some(RetryOn::ERROR),
    }
}
