//! Readers of what is said of answers that send a client elsewhere.

use super::{Annotation, boolean};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Whether clients are sent to https where there is a certificate.
pub(super) fn https(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.https = boolean(annotation)?;
    Ok(())
}

/// Whether clients are sent to https in any case: it may be the load balancer which has the certificate.
pub(super) fn force_https(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.redirect.force_https = boolean(annotation)?;
    Ok(())
}

/// Whether the target keeps the slash that it ends with.
pub(super) fn preserve_trailing_slash(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.redirect.drop_trailing_slash = !boolean(annotation)?;
    Ok(())
}
