//! Which clients may use a route.

use model::{AddressRules, RequestFilter};

use super::{RouteFacts, RouteSettings, auth};

/// The filter that lets only those in, unless all may; or those that have something else instead.
pub(super) fn build(asked: &RouteSettings, facts: RouteFacts) -> Option<RequestFilter> {
    let rules = rules(asked);
    let is_filter = rules != AddressRules::default() && !auth::has_addresses(asked, facts);
    is_filter.then_some(RequestFilter::Addresses(rules))
}

/// Which addresses those are.
pub(super) fn rules(asked: &RouteSettings) -> AddressRules {
    AddressRules { deny: asked.deny.clone(), allow: asked.allow.clone() }
}
