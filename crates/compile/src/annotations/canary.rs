//! Readers of what is said of canaries.

use std::sync::Arc;

use model::Pattern;

use super::{Annotation, boolean, plain, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Whether the Ingress is a variant of another one, for a part of its requests.
pub(super) fn is_one(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary.is_on = boolean(annotation)?;
    Ok(())
}

/// The header field that decides. Names are compared as those of nginx' variables are: `_` is `-`.
pub(super) fn header(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let name = plain(annotation)?.to_ascii_lowercase().replace('_', "-");
    settings.canary.header = Some(name.into());
    Ok(())
}

/// Its value that goes to the canary.
pub(super) fn header_value(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.canary.header_value = Some(plain(annotation)?.into());
    Ok(())
}

/// The pattern of its values that go to the canary.
pub(super) fn header_pattern(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    match Pattern::of_value(value.trim()) {
        Ok(pattern) => settings.canary.header_pattern = Some(Some(pattern)),
        Err(error) => {
            settings.canary.header_pattern = Some(None);
            let message = format!(
                "{name} cannot be {}: {error}; requests with the header field are not for the canary",
                shown(value)
            );
            return Err(invalid(
                message,
                "write a regular expression without look-around and back references",
            ));
        }
    }
    Ok(())
}

/// The cookie that decides.
pub(super) fn cookie(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary.cookie = Some(Arc::from(plain(annotation)?));
    Ok(())
}

/// Which part of the total goes to the canary.
pub(super) fn weight(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary.weight = number(annotation, "nothing goes to the canary by weight")?;
    Ok(())
}

/// The total.
pub(super) fn total(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary.total = Some(number(annotation, "100 applies")?);
    Ok(())
}

/// Whether the canary keeps its clients where its primary Ingress has affinity.
pub(super) fn affinity(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary.keeps_none = match annotation.value.trim() {
        "sticky" => false,
        "legacy" => true,
        other => {
            let message = format!("{} cannot be {}; sticky applies", annotation.name, shown(other));
            return Err(invalid(message, "write sticky or legacy"));
        }
    };
    Ok(())
}

/// A weight. Below 0 it means 0, as to ingress-nginx.
fn number(annotation: &Annotation<'_>, instead: &str) -> Result<u32, Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    let number = value.parse::<i64>().map_err(|_| {
        invalid(format!("{name} cannot be {}; {instead}", shown(value)), "write a whole number")
    })?;
    Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

fn invalid(message: String, remedy: &str) -> Vec<Fault> {
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy).into()
}
