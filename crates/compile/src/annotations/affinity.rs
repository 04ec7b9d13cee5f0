//! Readers of what is said of clients that are to stay with an endpoint.

use std::sync::Arc;

use model::{SameSite, Stickiness};

use super::{Annotation, boolean, plain, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Longest time that a cookie may be kept, in seconds: a hundred years. Browsers keep none for longer than 400 days.
const SECONDS_MAX: i64 = 100 * 365 * 24 * 3600;

/// Whether they are: `cookie` is the only way.
pub(super) fn is_on(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let known = annotation.value.trim() == "cookie";
    settings.affinity.is_on = known;
    if known { Ok(()) } else { Err(invalid(annotation, "there is no affinity", "write cookie")) }
}

/// Whether they may move when there are more endpoints.
pub(super) fn mode(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.stickiness = match annotation.value.trim() {
        "balanced" => Stickiness::Balanced,
        "persistent" => Stickiness::Persistent,
        _ => return Err(invalid(annotation, "balanced applies", "write balanced or persistent")),
    };
    Ok(())
}

/// The cookie's name.
pub(super) fn name(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.cookie = Some(Arc::from(plain(annotation)?));
    Ok(())
}

/// Whether a client whose endpoint fails stays with another one.
pub(super) fn change_on_failure(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.affinity.change_on_failure = boolean(annotation)?;
    Ok(())
}

/// For which paths the cookie is.
pub(super) fn path(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let path = annotation.value.trim();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:,?&=".contains(&b);
    if path.is_empty() || !path.bytes().all(is_allowed) {
        return Err(invalid(annotation, "the path of the rule applies", "write a path, as /"));
    }
    settings.affinity.attributes.path = Some(path.into());
    Ok(())
}

/// For which hosts it is.
pub(super) fn domain(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.attributes.domain = Some(plain(annotation)?.into());
    Ok(())
}

/// How long it is kept, in seconds.
pub(super) fn max_age(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.attributes.max_age = Some(seconds(annotation)?);
    Ok(())
}

/// The same, as a point in time.
pub(super) fn expires(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.attributes.expires = Some(seconds(annotation)?);
    Ok(())
}

/// Whether it is for https alone, even if it is set over plain HTTP.
pub(super) fn secure(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.affinity.attributes.secure = boolean(annotation)?;
    Ok(())
}

/// Whether it goes with what other sites ask for.
pub(super) fn same_site(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let word = annotation.value.trim();
    let known = SameSite::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(word));
    let known = known
        .ok_or_else(|| invalid(annotation, "the cookie says nothing of it", "write None, Lax or Strict"))?;
    settings.affinity.attributes.same_site = Some(known);
    Ok(())
}

/// Whether browsers that do not know `None` are told nothing.
pub(super) fn same_site_none_if_known(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.affinity.attributes.same_site_none_if_known = boolean(annotation)?;
    Ok(())
}

fn seconds(annotation: &Annotation<'_>) -> Result<i64, Vec<Fault>> {
    let seconds = annotation.value.trim().parse::<i64>().ok();
    seconds
        .filter(|seconds| (-SECONDS_MAX..=SECONDS_MAX).contains(seconds))
        .ok_or_else(|| invalid(annotation, "it has no effect", "write a number of seconds"))
}

fn invalid(Annotation { name, value, .. }: &Annotation<'_>, instead: &str, remedy: &str) -> Vec<Fault> {
    let message = format!("{name} cannot be {}; {instead}", shown(value));
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy).into()
}
