//! Clients that are refused by what they say of themselves.

use std::sync::Arc;

use model::{Blocked, RequestFilter};

use super::RouteSettings;

/// The filter that refuses them, if there are any.
pub(super) fn build(asked: &RouteSettings) -> Option<RequestFilter> {
    let blocked = &asked.blocked;
    (**blocked != Blocked::default()).then(|| RequestFilter::Blocked(Arc::clone(blocked)))
}
