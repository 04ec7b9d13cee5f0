//! Readers of how often a request is tried, and after what. None of it guards anything: what cannot be read has no effect.

use std::num::NonZeroU16;
use std::time::Duration;

use model::RetryOn;

use super::{Annotation, boolean, no_effect, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most tries for one request: with each of them a request that fails costs as much again.
const ATTEMPTS_MAX: u16 = 10;
/// The word with which nothing is tried again.
const OFF: &str = "off";

/// How often a request is tried, whatever another dialect says of endpoints.
pub(super) fn attempts(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let remedy = format!("write a whole number from 1 to {ATTEMPTS_MAX}");
    let attempts = annotation.value.parse().ok().and_then(NonZeroU16::new);
    let attempts = attempts.filter(|attempts| attempts.get() <= ATTEMPTS_MAX);
    let attempts = attempts.ok_or_else(|| no_effect(annotation, remedy))?;
    (settings.retry.attempts, settings.retry.endpoints) = (Some(attempts), None);
    Ok(())
}

/// How many endpoints a request is tried at; with 0 there is no limit but the proxy's own.
pub(super) fn tries(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let tries = NonZeroU16::new(number_of_tries(annotation)?);
    (settings.retry.attempts, settings.retry.endpoints) = (tries, tries);
    Ok(())
}

/// A number of endpoints, or 0 for no limit but the proxy's own.
pub(super) fn number_of_tries(annotation: &Annotation<'_>) -> Result<u16, Vec<Fault>> {
    let remedy = || {
        format!("write a whole number from 1 to {ATTEMPTS_MAX}, or 0 for no limit but that of the controller")
    };
    let tries = annotation.value.parse::<u16>().ok().filter(|tries| *tries <= ATTEMPTS_MAX);
    tries.ok_or_else(|| no_effect(annotation, remedy()))
}

/// What lets a request be tried at another endpoint, in nginx' words; with `off` nothing does, whatever else is there.
pub(super) fn on(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let words = annotation.value.split_whitespace().filter(|word| *word != OFF);
    let on = words.clone().map(RetryOn::parse).try_fold(RetryOn::default(), |all, one| Some(all.and(one?)));
    let is_off = words.clone().count() < annotation.value.split_whitespace().count();
    match on {
        Some(on) if is_off || on != RetryOn::default() => {
            settings.retry.on = Some(on);
            settings.retry_is_off = is_off;
            Ok(())
        }
        _ => {
            let words = RetryOn::ALL.map(|(word, _)| word).join(", ");
            Err(no_effect(annotation, format!("write some of {words} with spaces between them, or {OFF}")))
        }
    }
}

/// Whether requests whose method is not idempotent may be sent twice, whatever else is said of reasons.
pub(super) fn non_idempotent(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.retry_is_for_all = boolean(annotation)?;
    Ok(())
}

/// How many seconds after its beginning a request may be tried again; with 0 there is no limit.
pub(super) fn within_seconds(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let seconds = annotation.value.parse::<u32>().map(u64::from);
    let seconds = seconds
        .map_err(|_| no_effect(annotation, "write whole seconds without a unit, or 0 for no limit"))?;
    settings.retry.within = Some(Duration::from_secs(seconds)).filter(|time| !time.is_zero());
    Ok(())
}

/// The same, with a unit.
pub(super) fn within(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.retry.within = Some(time::with_unit(annotation, time::SILENCE_MAX)?);
    Ok(())
}
