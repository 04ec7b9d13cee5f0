//! Readers of what is said of compression. It guards nothing: what cannot be read has no effect.

use super::{Annotation, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Whether answers are compressed: `gzip` or `off`.
pub(super) fn compress(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.compress.is_on = match *value {
        "gzip" => true,
        "off" => false,
        other => {
            let message = format!("{name} cannot be {}; it has no effect", shown(other));
            return Err(Fault::error(reasons::INVALID_ANNOTATION, message, "write gzip or off").into());
        }
    };
    Ok(())
}
