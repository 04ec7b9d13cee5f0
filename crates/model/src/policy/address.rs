//! Which client addresses may use a route.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// The networks whose clients may use a route, and those whose clients may not.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRules {
    /// Never these, even where `allow` has them.
    pub deny: Vec<IpNet>,
    /// Only these; any if empty.
    pub allow: Vec<IpNet>,
}

impl AddressRules {
    /// Whether a client with this address may.
    pub fn allows(&self, client: IpAddr) -> bool {
        self.says(client).unwrap_or(true)
    }

    /// Whether a client with this address is allowed or denied by name; nothing if neither.
    pub fn says(&self, client: IpAddr) -> Option<bool> {
        if any_contains(&self.deny, client) {
            return Some(false);
        }
        (!self.allow.is_empty()).then(|| any_contains(&self.allow, client))
    }
}

impl fmt::Display for AddressRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |all: &[IpNet]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "never from [{}], only from [{}]", join(&self.deny), join(&self.allow))
    }
}

/// Whether one of the networks has this address. An IPv4 address that is written as one of IPv6 (`::ffff:192.0.2.1`) is the
/// IPv4 address.
pub fn any_contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(deny: &[&str], allow: &[&str]) -> AddressRules {
        let parse = |networks: &[&str]| networks.iter().map(|raw| raw.parse().expect("a network")).collect();
        AddressRules { deny: parse(deny), allow: parse(allow) }
    }

    #[test]
    fn what_is_denied_is_denied_even_where_it_is_allowed() {
        let rules = rules(&["10.1.0.0/16"], &["10.0.0.0/8", "2001:db8::/32"]);
        for (client, allowed) in [
            ("10.2.0.1", true),
            ("10.1.0.1", false),
            ("::ffff:10.1.0.1", false),
            ("::ffff:10.2.0.1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(rules.allows(client.parse().expect("an address")), allowed, "{client}");
        }
    }

    #[test]
    fn where_nothing_is_allowed_by_name_everything_else_is() {
        let rules = rules(&["10.0.0.0/8"], &[]);
        assert!(rules.allows("192.0.2.1".parse().expect("an address")));
        assert!(!rules.allows("10.0.0.1".parse().expect("an address")));
    }
}
