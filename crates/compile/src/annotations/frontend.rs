//! What of what stands in front of us is about an Ingress. It changes nothing for a request.

use model::FrontendScheme;

use super::{Annotation, no_effect};
use crate::policy::{RouteSettings, SchemeSaid};
use crate::problems::Fault;

/// From where clients come: which load balancer DNS leads them to.
pub(super) fn scheme(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    match annotation.value.trim().parse::<FrontendScheme>() {
        Ok(scheme) => {
            settings.scheme = SchemeSaid::Scheme(scheme);
            Ok(())
        }
        Err(remedy) => {
            settings.scheme = SchemeSaid::Unreadable;
            Err(no_effect(annotation, remedy))
        }
    }
}
