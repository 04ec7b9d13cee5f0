//! Readers of what is said of compression. It guards nothing: what cannot be read has no effect.

use super::{Annotation, boolean, no_effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;

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
