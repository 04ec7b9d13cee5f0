//! Readers of what is said of `Strict-Transport-Security`.

use super::{Annotation, boolean, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Whether it is said at all.
pub(super) fn enable(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.hsts.enabled = boolean(annotation)?;
    Ok(())
}

/// For how many seconds it holds.
pub(super) fn max_age(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let seconds = annotation.value.trim().parse();
    settings.hsts.max_age = seconds.map_err(|_| no_effect(annotation, "write a number of seconds"))?;
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
