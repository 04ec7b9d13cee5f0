//! Which certificates each host has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compile::{Basis, CertificateClaims, Claim, ObjectKey};
use model::HostMatch;
use tls::{Certificate, Certificates, Entry};

use super::held::Held;

/// What is known of all Secrets.
pub(super) type AllHeld = BTreeMap<ObjectKey, Held<Certificate>>;

/// What each host has, and under [`HostMatch::Any`] all others.
pub(super) type AllAssigned = BTreeMap<HostMatch, Assigned>;

/// The certificates of a host, one of each kind, with their Secrets.
#[derive(Clone, Debug)]
pub(super) struct Assigned(Vec<(ObjectKey, Arc<Certificate>)>);

impl PartialEq for Assigned {
    /// By pointer: a Secret that was read again has another certificate.
    fn eq(&self, other: &Assigned) -> bool {
        let same = |((a, one), (b, two)): (&(ObjectKey, _), &(ObjectKey, _))| a == b && Arc::ptr_eq(one, two);
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Assigned {
    /// The first of each kind; `None` if there is none at all.
    fn new(certificates: impl Iterator<Item = (ObjectKey, Arc<Certificate>)>) -> Option<Assigned> {
        let mut kinds = BTreeSet::new();
        let each: Vec<_> = certificates.filter(|(_, certificate)| kinds.insert(certificate.kind())).collect();
        (!each.is_empty()).then_some(Assigned(each))
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &ObjectKey> {
        self.0.iter().map(|(secret, _)| secret)
    }

    fn cover(&self, host: &HostMatch) -> bool {
        self.0.iter().all(|(_, certificate)| certificate.covers(host))
    }
}

/// Gives each host the certificates of the Ingresses that claim it.
pub(super) fn assign(
    claims: &CertificateClaims,
    held: &AllHeld,
    before: &AllAssigned,
    stand_in: Option<Arc<Certificate>>,
) -> AllAssigned {
    let good = |key: &ObjectKey| Some((key.clone(), Arc::clone(held.get(key)?.good()?)));
    let default = Assigned::new(claims.default.iter().filter_map(good));
    let mut hosts: AllAssigned = claims
        .hosts
        .iter()
        .filter_map(|(host, claims)| {
            let kept = before.get(host).filter(|before| may_be_kept(before, host, claims));
            Some((host.clone(), choose(host, claims, held, kept, default.as_ref())?))
        })
        .collect();
    let own = claims.own_names.iter().flat_map(|claim| &claim.secrets);
    for (secret, certificate) in own.filter_map(|named| good(&named.secret)) {
        for name in certificate.names().iter().filter(|name| !claims.hosts.contains_key(name)) {
            let own = || Assigned(vec![(secret.clone(), Arc::clone(&certificate))]);
            hosts.entry(name.clone()).or_insert_with(own);
        }
    }
    let stand_in = stand_in.map(|made| Assigned(vec![(ObjectKey::new("", "stand-in"), made)]));
    hosts.extend(default.or(stand_in).map(|default| (HostMatch::Any, default)));
    hosts
}

/// The certificates of the strongest claim that has any for this host. If none has, the host keeps what it had before:
/// its Ingress may name a Secret that is only about to be made. What the author lists though it is for other hosts
/// comes last, and only if no default certificate would do.
fn choose(
    host: &HostMatch,
    claims: &[Claim],
    held: &AllHeld,
    kept: Option<&Assigned>,
    default: Option<&Assigned>,
) -> Option<Assigned> {
    let covering = claims.iter().find_map(|claim| of_claim(claim, held, |it| it.covers(host)));
    let chosen = covering.or_else(|| kept.cloned());
    if chosen.is_some() || default.is_some_and(|default| default.cover(host)) {
        return chosen;
    }
    let mut listed = claims.iter().filter(|claim| claim.basis == Basis::Listed);
    listed.find_map(|claim| of_claim(claim, held, |_| true))
}

fn of_claim(claim: &Claim, held: &AllHeld, counts: impl Fn(&Certificate) -> bool) -> Option<Assigned> {
    let good = claim.secrets.iter().filter_map(|named| {
        let certificate = held.get(&named.secret)?.good().filter(|certificate| counts(certificate))?;
        Some((named.secret.clone(), Arc::clone(certificate)))
    });
    Assigned::new(good)
}

/// A host keeps only what is for it, and what is of a namespace that claims it still.
fn may_be_kept(before: &Assigned, host: &HostMatch, claims: &[Claim]) -> bool {
    let of_claimant =
        |secret: &ObjectKey| claims.iter().any(|claim| claim.ingress.namespace == secret.namespace);
    before.cover(host) && before.secrets().all(of_claimant)
}

/// What handshakes load. Hosts with the same certificates share an entry: one connection may carry requests for all.
pub(super) fn snapshot(assigned: &AllAssigned) -> Certificates {
    let mut entries = BTreeMap::<Vec<(&ObjectKey, *const Certificate)>, (&Assigned, Vec<HostMatch>)>::new();
    for (host, assigned) in assigned {
        let identity =
            assigned.0.iter().map(|(secret, certificate)| (secret, Arc::as_ptr(certificate))).collect();
        entries.entry(identity).or_insert((assigned, Vec::new())).1.push(host.clone());
    }
    Certificates::new(entries.into_values().filter_map(|(assigned, hosts)| {
        let names: Vec<String> = assigned.secrets().map(ObjectKey::to_string).collect();
        let certificates = assigned.0.iter().map(|(_, certificate)| Arc::clone(certificate)).collect();
        Some((Entry::new(names.join(" + "), certificates)?, hosts))
    }))
}
