//! Readers of how many requests a client may send, and how fast it gets answers. They protect endpoints from load, and
//! guard no data: what cannot be read has no effect.

use super::{Annotation, access, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Requests of a client within a second; 0 is no limit, as of the next two.
pub(super) fn per_second(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.per_second = number(annotation)?;
    Ok(())
}

/// Requests of a client within a minute.
pub(super) fn per_minute(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.per_minute = number(annotation)?;
    Ok(())
}

/// Requests of a client at a time.
pub(super) fn in_flight(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.limit.in_flight = number(annotation)?;
    Ok(())
}

/// As many times the requests of a second, or of a minute, may come at once.
pub(super) fn burst_factor(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.burst_factor = number(annotation)?;
    Ok(())
}

/// KiB of an answer in a second; 0 is no limit.
pub(super) fn kib_per_second(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.bytes_per_second = number(annotation)?.saturating_mul(1 << 10);
    Ok(())
}

/// KiB of an answer that come before that.
pub(super) fn kib_before(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.bytes_before = u64::from(number(annotation)?) << 10;
    Ok(())
}

/// The networks whose clients have no limit. A list that cannot be read exempts none.
pub(super) fn exempt(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.limit.exempt = access::networks(annotation).map_err(|_| {
        no_effect(annotation, "write addresses and networks (as 192.0.2.0/24) with commas between them")
    })?;
    Ok(())
}

/// What clients are told that send too often.
pub(super) fn rate_status(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.rate_status = status(annotation)?;
    Ok(())
}

/// What clients are told that have too many requests in flight.
pub(super) fn in_flight_status(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.limit.in_flight_status = status(annotation)?;
    Ok(())
}

/// One that refuses: nginx takes no other.
fn status(annotation: &Annotation<'_>) -> Result<u16, Vec<Fault>> {
    let status = annotation.value.parse::<u16>().ok().filter(|status| (400..600).contains(status));
    status.ok_or_else(|| no_effect(annotation, "write a status from 400 to 599"))
}

/// A whole number, as ingress-nginx reads it: one below 0 is no limit, as 0.
fn number(annotation: &Annotation<'_>) -> Result<u32, Vec<Fault>> {
    let number = annotation.value.parse::<i64>().map(|number| u32::try_from(number.max(0)));
    match number {
        Ok(Ok(number)) => Ok(number),
        _ => Err(no_effect(annotation, "write a whole number")),
    }
}
