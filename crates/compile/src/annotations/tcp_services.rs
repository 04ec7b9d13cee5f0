//! Readers of what ingress-nginx' ConfigMap says of all services of TCP (`proxy-stream-…`).

use std::num::NonZeroU16;
use std::time::Duration;

use super::{Annotation, boolean, no_effect, retry, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// How long both sides may be silent.
pub(super) fn idle_timeout(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.tcp_services.idle_timeout = time::with_unit(annotation, time::SILENCE_MAX)?;
    Ok(())
}

/// Whether a connection is tried at another endpoint.
pub(super) fn next_upstream(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.tcp_services.tries_others = boolean(annotation)?;
    Ok(())
}

/// At how many it is tried; with 0 there is no limit but the proxy's own.
pub(super) fn tries(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.tcp_services.attempts = NonZeroU16::new(retry::number_of_tries(annotation)?);
    Ok(())
}

/// For how long; with 0 for ever.
pub(super) fn try_for(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let remedy = "write a time, as 600s or 10m, or 0 for no limit";
    let time = time::parse(annotation.value).ok_or_else(|| no_effect(annotation, remedy))?;
    settings.tcp_services.try_for = Some(time).filter(|time| *time != Duration::ZERO);
    Ok(())
}
