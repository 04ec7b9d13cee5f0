//! Readers of how long endpoints may take. None of it guards anything: what cannot be read has no effect.

use std::time::Duration;

use model::{number_with_unit, time_with_unit};

use super::{Annotation, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// The longest time for a connection: kernels give up after some minutes.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(60 * 60);
/// The longest time for an answer, or between two pieces of its body: a day, as is often written for nginx where streams are to
/// last for ever.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request may wait for a connection, or for a place on one.
pub(super) fn connect(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.timeouts.connect = Some(with_unit(annotation, CONNECT_MAX)?);
    Ok(())
}

/// How long an endpoint may take to answer.
pub(super) fn response(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.timeouts.response = Some(with_unit(annotation, SILENCE_MAX)?);
    Ok(())
}

/// How long an endpoint may be silent in the body of its answer.
pub(super) fn body(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.timeouts.body = Some(with_unit(annotation, SILENCE_MAX)?);
    Ok(())
}

/// How long an endpoint may take nothing of a request's body.
pub(super) fn send(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.timeouts.send = Some(with_unit(annotation, SILENCE_MAX)?);
    Ok(())
}

/// How long both sides of a tunnel may be silent.
pub(super) fn tunnel(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.timeouts.tunnel = Some(with_unit(annotation, SILENCE_MAX)?);
    Ok(())
}

/// The same as [`connect`], in seconds.
pub(super) fn connect_seconds(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.timeouts.connect = Some(seconds(annotation, CONNECT_MAX)?);
    Ok(())
}

/// The same as [`send`], in seconds.
pub(super) fn send_seconds(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.timeouts.send = Some(seconds(annotation, SILENCE_MAX)?);
    Ok(())
}

/// The time between two reads from an endpoint, in seconds: the first is that of its answer, the others are those of the body,
/// or of a tunnel.
pub(super) fn read_seconds(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let time = Some(seconds(annotation, SILENCE_MAX)?);
    let times = &mut settings.timeouts;
    (times.response, times.body, times.tunnel) = (time, time, time);
    Ok(())
}

/// A time as in flags (`300ms`, `5s`, `1m`, `1h`), or in seconds.
pub(super) fn with_unit(annotation: &Annotation<'_>, most: Duration) -> Result<Duration, Vec<Fault>> {
    let remedy = |most| format!("write a time above 0 and up to {most}s, as 300ms, 5s or 1m");
    limited(annotation, parse(annotation.value), most, remedy)
}

/// Whole seconds without a unit, as ingress-nginx reads them. Some write a year for what is to last for ever: more than the most
/// is that.
fn seconds(annotation: &Annotation<'_>, most: Duration) -> Result<Duration, Vec<Fault>> {
    let time = annotation.value.parse().ok().map(|seconds| Duration::from_secs(seconds).min(most));
    limited(annotation, time, most, |most| {
        format!("write whole seconds without a unit, above 0; more than {most} are {most}")
    })
}

fn limited(
    annotation: &Annotation<'_>,
    time: Option<Duration>,
    most: Duration,
    remedy: impl FnOnce(u64) -> String,
) -> Result<Duration, Vec<Fault>> {
    let time = time.filter(|time| !time.is_zero() && *time <= most);
    time.ok_or_else(|| no_effect(annotation, remedy(most.as_secs())))
}

/// A number and a unit, as in flags; seconds without one, as in nginx. (Its days, weeks and sums of units are not read: none
/// of its times here may last that long.)
pub(super) fn parse(value: &str) -> Option<Duration> {
    let seconds = || number_with_unit(value, &[("", 1)]).map(Duration::from_secs);
    time_with_unit(value).or_else(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_in_flags_or_as_seconds() {
        for (value, millis) in [
            ("300ms", Some(300)),
            ("5s", Some(5000)),
            ("1m", Some(60_000)),
            ("2h", Some(7_200_000)),
            ("7", Some(7000)),
            ("0", Some(0)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5s", None),
            ("5 s", None),
            ("5S", None),
            ("1d", None),
            ("99999999999999999999", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(parse(value), millis.map(Duration::from_millis), "{value}");
        }
    }

    #[test]
    fn a_limit_may_be_reached_and_not_passed() {
        for (value, most, is_read) in [
            ("3600", CONNECT_MAX, true),
            ("3601s", CONNECT_MAX, false),
            ("86400", SILENCE_MAX, true),
            ("86401s", SILENCE_MAX, false),
            ("0", SILENCE_MAX, false),
        ] {
            let annotation = Annotation { name: "x/timeout", value, namespace: "shop" };
            assert_eq!(with_unit(&annotation, most).is_ok(), is_read, "{value}");
            assert_eq!(seconds(&annotation, most).is_ok(), is_read, "{value}");
        }
        let year = Annotation { name: "x/timeout", value: "31536000", namespace: "shop" };
        assert_eq!(seconds(&year, SILENCE_MAX).expect("a time"), SILENCE_MAX);
    }
}
