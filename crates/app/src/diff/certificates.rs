//! Where the certificates of hosts come from, before and after.

use std::collections::BTreeSet;

use compile::{CertificateClaims, Claim};

use super::{Change, Kind, Weight};

pub(super) fn between(before: &CertificateClaims, after: &CertificateClaims) -> Vec<Change> {
    let hosts: BTreeSet<_> = before.hosts.keys().chain(after.hosts.keys()).collect();
    let of_hosts = hosts.into_iter().filter_map(|host| {
        let (was, is) = (secrets(before.hosts.get(host)), secrets(after.hosts.get(host)));
        change(&host.to_string(), &was, &is)
    });
    let own = |claims: &CertificateClaims| secrets(Some(&claims.own_names));
    let default = |claims: &CertificateClaims| claims.default.iter().map(ToString::to_string).collect();
    let of_others = [
        change("names of the certificates themselves", &own(before), &own(after)),
        change("all other names", &default(before), &default(after)),
    ];
    of_hosts.chain(of_others.into_iter().flatten()).collect()
}

fn change(subject: &str, was: &Vec<String>, is: &Vec<String>) -> Option<Change> {
    let (weight, text) = match (&**was, &**is) {
        _ if was == is => return None,
        ([], _) => (Weight::Plain, format!("from {}", is.join(", "))),
        (_, []) => (Weight::Warning, format!("none any more; it was from {}", was.join(", "))),
        _ => (Weight::Warning, format!("from {}, and no longer from {}", is.join(", "), was.join(", "))),
    };
    Some(Change::new(weight, Kind::Certificate, subject, text))
}

fn secrets(claims: Option<&Vec<Claim>>) -> Vec<String> {
    let named = claims.into_iter().flatten().flat_map(|claim| &claim.secrets);
    named.map(|named| named.secret.to_string()).collect()
}
