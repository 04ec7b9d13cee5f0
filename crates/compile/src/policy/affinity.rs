//! Clients that stay with an endpoint, and texts of which each has its endpoint.

use std::sync::Arc;

use model::{Affinity, CookieAttributes, Keyed, Policy, Stickiness, Template};

use super::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// The cookie's name where none is said; ingress-nginx'.
const COOKIE: &str = "INGRESSCOOKIE";

/// What is asked of clients that are to stay.
#[derive(Clone, Debug, Default)]
pub(crate) struct AffinitySettings {
    /// Whether they are.
    pub(crate) is_on: bool,
    /// The cookie's name.
    pub(crate) cookie: Option<Arc<str>>,
    pub(crate) stickiness: Stickiness,
    pub(crate) change_on_failure: bool,
    pub(crate) attributes: CookieAttributes,
}

/// What is said of a cookie that is not asked for.
pub(super) fn check(asked: &RouteSettings) -> Option<Fault> {
    let AffinitySettings { is_on, cookie, attributes, .. } = &asked.affinity;
    let is_meant = cookie.is_some() || *attributes != CookieAttributes::default();
    (!is_on && is_meant && !asked.canary.is_on).then(|| {
        let message =
            "says what a cookie for affinity is like, and not that there is affinity; no cookie is set";
        Fault::warning(reasons::NO_EFFECT, message, "let nginx.ingress.kubernetes.io/affinity be cookie")
    })
}

/// Whether clients stay by a cookie that is for the paths of its route.
pub(super) fn names_no_path(policy: &Policy) -> bool {
    match policy.keyed.as_deref() {
        Some(Keyed::Cookie(affinity)) => affinity.attributes.path.is_none(),
        Some(Keyed::Text(_)) | None => false,
    }
}

/// Browsers know no patterns, and would not send a cookie that is for the text of one.
pub(super) fn of_pattern(pattern: &str) -> Fault {
    let message =
        format!("sets a cookie for the paths of {pattern}: it is for all that begin as the pattern does");
    let remedy = "name the path that it is to be for with nginx.ingress.kubernetes.io/session-cookie-path";
    Fault::warning(reasons::INVALID_ANNOTATION, message, remedy)
}

/// What decides on a request's endpoint. A cookie goes before a text, as with ingress-nginx.
pub(super) fn build(asked: &RouteSettings) -> Option<Box<Keyed>> {
    let AffinitySettings { is_on, cookie, stickiness, change_on_failure, attributes } = &asked.affinity;
    let affinity = is_on.then(|| {
        Keyed::Cookie(Affinity {
            cookie: cookie.clone().unwrap_or_else(|| COOKIE.into()),
            stickiness: *stickiness,
            change_on_failure: *change_on_failure,
            attributes: attributes.clone(),
        })
    });
    let text =
        || asked.hash_by.clone().filter(|template: &Template| !template.pieces().is_empty()).map(Keyed::Text);
    affinity.or_else(text).map(Box::new)
}
