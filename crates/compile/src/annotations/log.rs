//! Readers of what is said of the access log.

use super::{Annotation, boolean};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Whether requests are logged.
pub(super) fn enable(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.is_unlogged = !boolean(annotation)?;
    Ok(())
}

/// Whether they are not.
pub(super) fn disable(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.is_unlogged = boolean(annotation)?;
    Ok(())
}
