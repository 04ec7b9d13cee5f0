//! Clients that are refused by what they say of themselves.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{Blocked, FieldMatch};

use crate::error::Refusal;

/// Whether a client that says this may use the route. One that says nothing has an empty value.
pub(super) fn admit(blocked: &Blocked, head: &HeaderMap) -> Result<(), Refusal> {
    let is_one = |name: HeaderName, of: &[FieldMatch]| {
        let value = head.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        of.iter().any(|one| one.matches(value))
    };
    if is_one(header::USER_AGENT, &blocked.user_agents) || is_one(header::REFERER, &blocked.referers) {
        return Err(Refusal::Blocked);
    }
    Ok(())
}
