//! Readers of what is said of `Strict-Transport-Security`.

use super::{Annotation, boolean, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Whether it is said at all.
pub(super) fn enable(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.hsts.enabled = boolean(annotation)?;
    Ok(())
}

/// For how many seconds it holds.
pub(super) fn max_age(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    settings.hsts.max_age = value.trim().parse().map_err(|_| {
        let message = format!("{name} cannot be {}; it has no effect", shown(value));
        Vec::from(Fault::error(reasons::INVALID_ANNOTATION, message, "write a number of seconds"))
    })?;
    Ok(())
}

/// Whether it holds for all names below the host.
pub(super) fn subdomains(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.hsts.subdomains = boolean(annotation)?;
    Ok(())
}

/// Whether browsers may be shipped with it.
pub(super) fn preload(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.hsts.preload = boolean(annotation)?;
    Ok(())
}
