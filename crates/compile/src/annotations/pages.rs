//! Readers of what serves in the place of endpoints.

use super::{Annotation, boolean, no_effect, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Longest name of a Service (RFC 1035 label).
const NAME_BYTES_MAX: usize = 63;

/// The statuses of answers that are replaced.
pub(super) fn statuses(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.pages.statuses = read_statuses(annotation)?;
    settings.pages.are_own = true;
    Ok(())
}

/// The same for the whole controller: the operator's backend serves them.
pub(super) fn statuses_by_default(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.pages.statuses = read_statuses(annotation)?;
    Ok(())
}

/// Answers of endpoints stay as they are.
pub(super) fn spare_endpoints(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.pages.spare_endpoints = boolean(annotation)?;
    Ok(())
}

/// The Service that serves in the place of one without endpoints.
pub(super) fn default_backend(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let name = annotation.value;
    let is_one = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins_and_ends = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
    if name.is_empty() {
        return Err(no_effect(annotation, "remove it, or write its value"));
    } else if !begins_and_ends || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_one) {
        return Err(left_out(annotation, "write the name of a Service in the Ingress' namespace"));
    }
    settings.pages.default_backend = Some((name.into(), annotation.field()));
    Ok(())
}

/// Numbers from 400 to 599 with commas between.
fn read_statuses(annotation: &Annotation<'_>) -> Result<Vec<u16>, Vec<Fault>> {
    let statuses = annotation.value.split(',').map(str::trim).filter(|status| !status.is_empty());
    let read = |status: &str| status.parse().ok().filter(|status| (400..600).contains(status));
    let statuses: Option<Vec<u16>> = statuses.map(read).collect();
    if annotation.value.is_empty() {
        return Err(no_effect(annotation, "remove it, or write its value"));
    }
    let mut statuses =
        statuses.ok_or_else(|| left_out(annotation, "write numbers from 400 to 599 with commas between"))?;
    statuses.sort_unstable();
    statuses.dedup();
    Ok(statuses)
}

fn left_out(Annotation { name, value, .. }: &Annotation<'_>, remedy: &str) -> Vec<Fault> {
    let message =
        format!("{name} cannot be {}; the whole Ingress is not served, as with ingress-nginx", shown(value));
    Fault::left_out(message, remedy).into()
}
