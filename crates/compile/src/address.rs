//! Which addresses may be endpoints.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an endpoint's address is when it may not be used: behind it is not a pod or an upstream but the node itself,
/// its neighbours or the cloud's own services, which tenants could then reach with the node's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forbidden {
    Loopback,
    LinkLocal,
    Unspecified,
    Multicast,
    CloudService,
}

impl Forbidden {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Forbidden::Loopback => "a loopback address",
            Forbidden::LinkLocal => "a link-local address",
            Forbidden::Unspecified => "an unspecified address",
            Forbidden::Multicast => "a multicast or broadcast address",
            Forbidden::CloudService => "an address of the cloud's own services",
        }
    }
}

/// The address in its canonical form: an IPv4-mapped IPv6 address reaches the same peer as the IPv4 one and so is
/// judged and kept as it.
///
/// # Errors
/// Says why it may not be an endpoint: what the API server refuses in an Endpoints object, and forms that lead there.
pub(crate) fn check(address: IpAddr) -> Result<IpAddr, Forbidden> {
    let address = address.to_canonical();
    let forbidden = match address {
        IpAddr::V4(v4) => check_v4(v4),
        IpAddr::V6(v6) => check_v6(v6),
    };
    forbidden.map_or(Ok(address), Err)
}

fn check_v4(address: Ipv4Addr) -> Option<Forbidden> {
    match address.octets() {
        [0, ..] => Some(Forbidden::Unspecified),
        [127, ..] => Some(Forbidden::Loopback),
        [169, 254, ..] => Some(Forbidden::LinkLocal),
        [224..=239, ..] | [255, 255, 255, 255] => Some(Forbidden::Multicast),
        _ => None,
    }
}

fn check_v6(address: Ipv6Addr) -> Option<Forbidden> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Forbidden::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Forbidden::Loopback),
        [0xfe80..=0xfebf, ..] => Some(Forbidden::LinkLocal),
        [0xff00..=0xffff, ..] => Some(Forbidden::Multicast),
        // Where EC2 answers with the node's credentials, DNS and time: the IPv6 form of 169.254.169.254 and its like.
        [0xfd00, 0x0ec2, ..] => Some(Forbidden::CloudService),
        // NAT64 and the IPv4-compatible form carry an IPv4 address on to where it leads.
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0, 0, 0, 0, 0, 0, a, b] => check_v4(embedded(a, b)),
        _ => None,
    }
}

fn embedded(a: u16, b: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(a) << 16 | u32::from(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(raw: &str) -> Result<IpAddr, Forbidden> {
        check(raw.parse().expect("an address"))
    }

    #[test]
    fn addresses_of_the_node_and_its_surroundings_are_forbidden_in_every_form() {
        for (raw, expected) in [
            ("127.0.0.1", Forbidden::Loopback),
            ("127.255.0.9", Forbidden::Loopback),
            ("::1", Forbidden::Loopback),
            ("::ffff:127.0.0.1", Forbidden::Loopback),
            ("64:ff9b::7f00:1", Forbidden::Loopback),
            ("::127.0.0.1", Forbidden::Loopback),
            ("169.254.169.254", Forbidden::LinkLocal),
            ("::ffff:169.254.169.254", Forbidden::LinkLocal),
            ("fe80::1", Forbidden::LinkLocal),
            ("fd00:ec2::254", Forbidden::CloudService),
            ("0.0.0.0", Forbidden::Unspecified),
            ("0.1.2.3", Forbidden::Unspecified),
            ("::", Forbidden::Unspecified),
            ("224.0.0.1", Forbidden::Multicast),
            ("255.255.255.255", Forbidden::Multicast),
            ("ff02::1", Forbidden::Multicast),
        ] {
            assert_eq!(checked(raw), Err(expected), "{raw}");
        }
    }

    #[test]
    fn other_addresses_are_kept_and_mapped_ones_become_ipv4() {
        for (raw, kept) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("fd00::1", "fd00::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(checked(raw), Ok(kept.parse().expect("an address")), "{raw}");
        }
    }
}
