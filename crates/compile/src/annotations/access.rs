//! Readers of what is said of access: which clients may use a route.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::{Annotation, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most networks in a list: each request is compared with one after the other. Lists of whole clouds have some hundreds.
const NETWORKS_MAX: usize = 1000;
/// The bits before an IPv4 address that is written as one of IPv6 (`::ffff:192.0.2.1`).
const IPV4_MAPPED_BITS: u8 = 96;

/// The networks whose clients may use the route; those of all others may not.
pub(super) fn allow(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.allow = networks(annotation)?;
    Ok(())
}

/// The networks whose clients may not use the route. Lists of several dialects add up: one that guarded a route must not
/// vanish because another comes beside it.
pub(super) fn deny(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.deny.extend(networks(annotation)?);
    Ok(())
}

/// Networks and addresses between commas, as ingress-nginx reads them: spaces around them and bits beyond the prefix do not
/// matter. One that cannot be read spoils the list: to leave it out would let clients in that were to be kept out.
pub(super) fn networks(Annotation { name, value, .. }: &Annotation<'_>) -> Result<Vec<IpNet>, Vec<Fault>> {
    let refused = |what: String, remedy: &str| {
        Vec::from(Fault::denied(format!("{name} {what}, so the whole Ingress is answered 503"), remedy))
    };
    let remedy = "write addresses and networks (as 192.0.2.0/24) with commas between them, or remove it";
    if value.trim().is_empty() {
        return Err(refused("names no network".into(), remedy));
    }
    let entries = value.split(',').map(str::trim);
    if entries.clone().nth(NETWORKS_MAX).is_some() {
        let what = format!("has more than {NETWORKS_MAX} entries");
        return Err(refused(what, "write fewer and larger networks"));
    }
    let entry = |entry| match network(entry) {
        Some(network) => Ok(network),
        None => {
            Err(refused(format!("has {}, which is neither an address nor a network", shown(entry)), remedy))
        }
    };
    entries.map(entry).collect()
}

/// The network in the form that clients' addresses are compared in: without bits beyond its prefix, and IPv4 as IPv4.
pub(super) fn network(entry: &str) -> Option<IpNet> {
    let network = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => entry.parse().ok()?,
    };
    let IpNet::V6(v6) = network else { return Some(network.trunc()) };
    match v6.addr().to_ipv4_mapped() {
        // Shorter than that it would be a network of IPv6 that looks like one of IPv4.
        Some(v4) => {
            let length = v6.prefix_len().checked_sub(IPV4_MAPPED_BITS)?;
            Some(IpNet::V4(Ipv4Net::new(v4, length).ok()?.trunc()))
        }
        None => Some(network.trunc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_in_the_form_that_clients_are_compared_in() {
        for (entry, read) in [
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("192.0.2.7/24", Some("192.0.2.0/24")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("2001:db8::7/32", Some("2001:db8::/32")),
            ("2001:db8::7", Some("2001:db8::7/128")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:192.0.2.7/120", Some("192.0.2.0/24")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::ffff:192.0.2.7/95", None),
            ("::/0", Some("::/0")),
            ("", None),
            ("all", None),
            ("192.0.2.7/33", None),
            ("192.0.2.7/-1", None),
            ("192.0.2", None),
            ("192.0.2.07", None),
            ("fe80::1%eth0", None),
            ("192.0.2.0/255.255.255.0", None),
            ("192.0.2.1 192.0.2.2", None),
        ] {
            let found = network(entry).map(|network| network.to_string());
            assert_eq!(found.as_deref(), read, "{entry}");
        }
    }

    #[test]
    fn a_list_that_is_longer_than_its_limit_denies() {
        let read = |count: usize| {
            let value = vec!["192.0.2.1"; count].join(",");
            let mut settings = RouteSettings::default();
            let annotation = Annotation { name: "x/allow", value: &value, namespace: "shop" };
            allow(&annotation, &mut settings).map(|()| settings.allow.len())
        };
        assert_eq!(read(NETWORKS_MAX).expect("a list"), NETWORKS_MAX);
        assert!(read(NETWORKS_MAX + 1).expect_err("too long").iter().all(Fault::denies));
    }
}
