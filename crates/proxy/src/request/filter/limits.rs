//! Routes that serve each client only so many requests.

use http::{HeaderMap, StatusCode};
use model::{RequestLimits, any_contains};

use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::overload;
use crate::respond::NotSent;

/// The place of the limit on requests in flight behind those on rates.
const IN_FLIGHT: usize = usize::MAX;

/// Whether one more request of this client may be served, which is counted then. A request in flight is counted until its exchange
/// ends.
pub(super) fn admit(limits: &RequestLimits, exchange: &Exchange, headers: &HeaderMap) -> Result<(), NotSent> {
    let (client, limiter) = (exchange.carrier.client(), &exchange.carrier.worker().limiter);
    let address = client.address(headers).unwrap_or_else(|| client.peer().ip());
    if any_contains(&limits.exempt, address) {
        return Ok(());
    }
    let Some(object) = exchange.object() else { return Ok(()) };
    let network = overload::network(address);
    let rates = limits.rates.iter().enumerate();
    if !limiter.admit(rates.map(|(place, limit)| (limiter.key(object, place, network), *limit))) {
        return Err(refused(Refusal::Rate, limits.rate_status));
    }
    if let Some(most) = limits.in_flight {
        let place = limiter.begin(limiter.key(object, IN_FLIGHT, network), most);
        let place = place.map_err(|_| refused(Refusal::InFlight, limits.in_flight_status))?;
        exchange.counted_at.set(place);
    }
    Ok(())
}

fn refused(why: Refusal, status: u16) -> NotSent {
    NotSent::RefusedAs(why, StatusCode::from_u16(status).unwrap_or(why.status()))
}
