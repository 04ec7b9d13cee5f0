//! Readers of what becomes of places and cookies that endpoints name.

use std::sync::Arc;

use super::{Annotation, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Longest value, in bytes.
const BYTES_MAX: usize = 2048;

/// What places begin with. `default` is the name of an upstream of nginx' own, which no endpoint knows.
pub(super) fn place_from(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let from = one_place(annotation)?;
    settings.upstream_fields.place_from = (!matches!(&*from, "off" | "default")).then_some(from);
    Ok(())
}

/// What takes its place.
pub(super) fn place_to(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let to = one_place(annotation)?;
    settings.upstream_fields.place_to = (&*to != "off").then_some(to);
    Ok(())
}

/// Domains of cookies.
pub(super) fn cookie_domain(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let dotless = |domain: &str| Arc::from(domain.strip_prefix('.').unwrap_or(domain));
    let pair = pair(annotation, b"-._~/:")?;
    settings.upstream_fields.cookies.domain = pair.map(|(from, to)| (dotless(from), dotless(to)));
    Ok(())
}

/// Paths of cookies.
pub(super) fn cookie_path(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let pair = pair(annotation, b"-._~/:,?&=")?;
    settings.upstream_fields.cookies.path = pair.map(|(from, to)| (from.into(), to.into()));
    Ok(())
}

fn one_place(annotation: &Annotation<'_>) -> Result<Arc<str>, Vec<Fault>> {
    let value = annotation.value.trim();
    if is_written(value, b"-._~/:,?&=") {
        Ok(value.into())
    } else {
        Err(no_effect(annotation, "write a URL, or off"))
    }
}

/// Two values with a space between, or none if it is off.
fn pair<'a>(annotation: &Annotation<'a>, marks: &[u8]) -> Result<Option<(&'a str, &'a str)>, Vec<Fault>> {
    let mut values = annotation.value.split_ascii_whitespace();
    match (values.next(), values.next(), values.next()) {
        (Some("off"), None, None) => Ok(None),
        (Some(from), Some(to), None) if is_written(from, marks) && is_written(to, marks) => {
            Ok(Some((from, to)))
        }
        _ => Err(no_effect(
            annotation,
            "write what is there and what is to be there, with a space between, or off",
        )),
    }
}

/// Letters, digits and these marks. What begins with `~` is a pattern, which is not honoured.
fn is_written(value: &str, marks: &[u8]) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    !value.is_empty() && value.len() <= BYTES_MAX && !value.starts_with('~') && value.bytes().all(is_one)
}
