//! Readers of what is said of compression. It guards nothing: what cannot be read has no effect.

use super::{Annotation, boolean, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most types of content: each answer's is compared with one after the other.
const TYPES_MAX: usize = 128;

/// Whether answers are compressed: `gzip` or `off`.
pub(super) fn compress(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.compress.is_on = match annotation.value {
        "gzip" => true,
        "off" => false,
        _ => return Err(no_effect(annotation, "write gzip or off")),
    };
    Ok(())
}

/// The same as ingress-nginx' ConfigMap says it.
pub(super) fn use_gzip(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.compress.is_on = boolean(annotation)?;
    Ok(())
}

/// How hard it tries, from 1 to 9.
pub(super) fn level(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let level = annotation.value.trim().parse().ok().filter(|level| (1..=9).contains(level));
    settings.compress.level = level.ok_or_else(|| no_effect(annotation, "write a number from 1 to 9"))?;
    Ok(())
}

/// The least length that an answer says, in bytes.
pub(super) fn length_min(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let length = annotation.value.trim().parse::<u64>();
    settings.compress.length_min = length.map_err(|_| no_effect(annotation, "write a number of bytes"))?;
    Ok(())
}

/// The types of content between spaces, or `*` for all. As with nginx `text/html` is one in any case.
pub(super) fn types(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let types = annotation.value.split_ascii_whitespace().chain(["text/html"]);
    let is_type = |name: &str| {
        name == "*" || name.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
    };
    if types.clone().count() > TYPES_MAX || !types.clone().all(is_type) {
        let remedy = format!("write up to {TYPES_MAX} types as text/css with spaces between them, or *");
        return Err(no_effect(annotation, remedy));
    }
    settings.compress.types = types.map(|name| name.to_ascii_lowercase().into()).collect();
    Ok(())
}
