//! Routes that only clients of some addresses may use.

use std::net::IpAddr;

use model::AddressRules;

use crate::error::Refusal;

/// Whether a client of this address may use the route. One whose address is not known may not.
pub(super) fn admit(rules: &AddressRules, client: Option<IpAddr>) -> Result<(), Refusal> {
    if client.is_some_and(|client| rules.allows(client)) { Ok(()) } else { Err(Refusal::Address) }
}
