//! Which clients may use a route.

use model::{AddressRules, RequestFilter};

use super::RouteSettings;

/// The filter that lets only those in, unless all may.
pub(super) fn build(asked: &RouteSettings) -> Option<RequestFilter> {
    let rules = AddressRules { deny: asked.deny.clone(), allow: asked.allow.clone() };
    (rules != AddressRules::default()).then_some(RequestFilter::Addresses(rules))
}
