//! What is told of Ingresses whose hosts the certificates of their Secrets are not for.

use std::collections::{BTreeMap, BTreeSet};

use compile::{Basis, CertificateClaims, Claim, NamedSecret, ObjectKey};
use model::{HostMatch, ObjectRef, Problem, Severity};
use tls::Certificate;

use super::assign::{AllAssigned, AllHeld};
use crate::kinds::Kind;
use crate::reasons;

/// More hosts or names than these are counted.
const SHOWN_MAX: usize = 3;

/// A field of an Ingress that names a Secret.
type Place<'a> = (&'a ObjectKey, &'a NamedSecret);

/// What was found.
struct Found<'a> {
    held: &'a AllHeld,
    /// Hosts that are listed beside the Secret and that its certificate is not for.
    not_for: BTreeMap<Place<'a>, Vec<&'a HostMatch>>,
    /// Another Secret whose certificate is of the same kind and for the same host.
    twice: BTreeMap<Place<'a>, &'a ObjectKey>,
    /// Hosts that keep the certificate of another Secret.
    keeping: BTreeMap<Place<'a>, Vec<&'a HostMatch>>,
    /// Secrets that might be for a host of a rule, and those that are of use.
    candidates: BTreeSet<Place<'a>>,
    useful: BTreeSet<Place<'a>>,
}

/// What is wrong with claims, as far as their Secrets have certificates.
pub(super) fn problems(claims: &CertificateClaims, held: &AllHeld, assigned: &AllAssigned) -> Vec<Problem> {
    let (not_for, twice, keeping) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (candidates, useful) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Found { held, not_for, twice, keeping, candidates, useful };
    for (host, claims) in &claims.hosts {
        claims.iter().for_each(|claim| found.look(host, claim));
        found.look_at_kept(host, claims, assigned);
    }
    found.useful.extend(claims.own_names.iter().flat_map(places));
    found.problems()
}

fn places(claim: &Claim) -> impl Iterator<Item = Place<'_>> {
    claim.secrets.iter().map(|named| (&claim.ingress, named))
}

impl<'a> Found<'a> {
    fn look(&mut self, host: &'a HostMatch, claim: &'a Claim) {
        let mut kinds = BTreeMap::new();
        for place in places(claim) {
            let Some(certificate) = self.certificate(place) else { continue };
            let covers = certificate.covers(host);
            match claim.basis {
                Basis::Rule => drop(self.candidates.insert(place)),
                Basis::Listed if !covers => self.not_for.entry(place).or_default().push(host),
                Basis::Listed => {
                    let first = *kinds.entry(certificate.kind()).or_insert(&place.1.secret);
                    if *first != place.1.secret {
                        self.twice.insert(place, first);
                    }
                }
            }
            if covers || claim.basis == Basis::Listed {
                self.useful.insert(place);
            }
        }
    }

    /// Whether the host has what none of its claims names.
    fn look_at_kept(&mut self, host: &'a HostMatch, claims: &'a [Claim], assigned: &AllAssigned) {
        let named =
            |secret: &ObjectKey| claims.iter().flat_map(places).any(|(_, named)| named.secret == *secret);
        let is_kept = assigned.get(host).is_some_and(|assigned| !assigned.secrets().any(named));
        if let Some(place) = claims.iter().flat_map(places).next().filter(|_| is_kept) {
            self.keeping.entry(place).or_default().push(host);
        }
    }

    fn certificate(&self, (_, named): Place<'_>) -> Option<&'a Certificate> {
        self.held.get(&named.secret)?.good().map(|certificate| &**certificate)
    }

    fn problems(&self) -> Vec<Problem> {
        let not_for = self.not_for.iter().map(|(place, hosts)| self.not_for(*place, hosts));
        let unused = self.candidates.difference(&self.useful).map(|place| self.unused(*place));
        let twice = self.twice.iter().map(|(place, first)| self.twice(*place, first));
        let keeping = self.keeping.iter().map(|(place, hosts)| keeping(*place, hosts));
        not_for.chain(unused).chain(twice).chain(keeping).collect()
    }

    fn not_for(&self, place: Place<'_>, hosts: &[&HostMatch]) -> Problem {
        let (secret, hosts, names) = (&place.1.secret, shown(hosts), self.names(place));
        let message = format!("the certificate of Secret {secret} is not for {hosts} but for {names}");
        let remedy = "have one issued for all hosts of the entry, or correct its hosts";
        problem(place, reasons::MISMATCHED_CERTIFICATE, message, remedy)
    }

    fn unused(&self, place: Place<'_>) -> Problem {
        let (secret, names) = (&place.1.secret, self.names(place));
        let message = format!("the certificate of Secret {secret} is for {names}, which no rule has");
        let remedy = "have one issued for the hosts of the rules, or correct these";
        problem(place, reasons::MISMATCHED_CERTIFICATE, message, remedy)
    }

    fn twice(&self, place: Place<'_>, first: &ObjectKey) -> Problem {
        let (secret, kind) = (&place.1.secret, self.certificate(place).map_or("", |it| it.kind().as_str()));
        let message =
            format!("Secrets {first} and {secret} both have {kind} certificates; the first is served");
        problem(place, compile::reasons::CONFLICT, message, "take one out, or make them of different kinds")
    }

    fn names(&self, place: Place<'_>) -> String {
        self.certificate(place).map(|certificate| shown(certificate.names())).unwrap_or_default()
    }
}

fn keeping(place: Place<'_>, hosts: &[&HostMatch]) -> Problem {
    let (secret, hosts) = (&place.1.secret, shown(hosts));
    let message =
        format!("Secret {secret} has no certificate that can be used; the last one for {hosts} stays in use");
    let remedy = "give the Secret a certificate for the host; a restart forgets the last one";
    problem(place, reasons::STALE_CERTIFICATE, message, remedy)
}

fn problem((ingress, named): Place<'_>, reason: &'static str, message: String, remedy: &str) -> Problem {
    let object = ObjectRef::new(Kind::Ingress.as_str(), &ingress.namespace, &ingress.name);
    let (field, severity, remedy) = (named.field.clone(), Severity::Warning, remedy.into());
    Problem { object, field, severity, reason, message, remedy }
}

/// The first hosts, and how many more there are.
fn shown<T: ToString>(hosts: &[T]) -> String {
    let first: Vec<String> = hosts.iter().take(SHOWN_MAX).map(T::to_string).collect();
    match hosts.len().saturating_sub(SHOWN_MAX) {
        0 if first.is_empty() => "no DNS name".into(),
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
