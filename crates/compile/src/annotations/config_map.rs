//! The keys of ingress-nginx' ConfigMap that are the default of an annotation: what an Ingress says itself goes before them.
//!
//! To add one: a row here, with the reader of its annotation. A key that has no value counts as absent, as a Helm chart
//! writes those that are not set.

use super::{Annotation, Dialect, Reader, access, redirect, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: "", rows: ROWS, other: not_honoured };

const ROWS: &[(&str, Reader)] = &[
    ("denylist-source-range", access::deny),
    ("force-ssl-redirect", redirect::force_https),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-next-upstream-tries", time::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("ssl-redirect", redirect::https),
    ("whitelist-source-range", access::allow),
];

/// The fault of a reader in the words for a key.
pub(super) fn told(fault: Fault) -> Fault {
    let reason = match fault.reason {
        reasons::INVALID_ANNOTATION => reasons::INVALID_SETTING,
        reason => reason,
    };
    let message = fault.message.replace("the whole Ingress is", "every Ingress that it holds for is");
    Fault { reason, message, ..fault }
}

fn not_honoured(Annotation { name, .. }: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let message = format!("{} is not honoured and has no effect", super::shown(name));
    let remedy = "remove it, or keep to the controller that honours it";
    Err(Fault::warning(reasons::UNSUPPORTED_SETTING, message, remedy).into())
}
