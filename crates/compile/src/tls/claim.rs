//! Which Ingress claims a certificate for which host.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use model::{HostMatch, Origin};

use crate::ObjectKey;

/// Where certificates may come from. Which of the Secrets has one that can be used is not known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateClaims {
    /// The claims to each host, the strongest first.
    pub hosts: BTreeMap<HostMatch, Vec<Claim>>,
    /// Ingresses that serve hosts they do not name, the strongest first: their Secrets' certificates are for the names
    /// that these have themselves, where no claim is to those.
    pub own_names: Vec<Claim>,
    /// The Secret whose certificate is for all other names.
    pub default: Option<ObjectKey>,
    /// Whether these names are shown a certificate of our own making where there is none for them, as ingress-nginx does: its
    /// Ingresses are served over TLS in any case, if only to clients that do not verify it.
    pub stand_in: bool,
    /// The Secrets for handshakes with endpoints.
    pub upstream: BTreeSet<ObjectKey>,
    /// The Secrets that clients are verified by.
    pub clients: BTreeSet<ObjectKey>,
}

/// The Secrets that an Ingress gives for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The Ingress.
    pub ingress: ObjectKey,
    /// What it rests on.
    pub basis: Basis,
    /// Its Secrets, each once. Several may have certificates of different kinds, RSA and ECDSA, side by side; or only some
    /// are for the host.
    pub secrets: Vec<NamedSecret>,
}

impl Claim {
    /// Adds a Secret, unless it is there.
    pub(super) fn add(&mut self, new: &NamedSecret) {
        if self.secrets.iter().all(|named| named.secret != new.secret) {
            self.secrets.push(new.clone());
        }
    }
}

/// A Secret and the field that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedSecret {
    /// The Secret.
    pub secret: ObjectKey,
    /// As `spec.tls[0].secretName`.
    pub field: String,
}

/// What a claim rests on. Ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The Ingress lists the host beside the Secrets.
    Listed,
    /// The Ingress has a rule for the host: those of its Secrets count whose certificate is for it.
    Rule,
}

/// A claim with what makes it stronger or weaker than others.
#[derive(Debug)]
pub(super) struct Ranked {
    /// That of the Ingress.
    pub(super) origin: Origin,
    pub(super) claim: Claim,
}

impl Ranked {
    /// What is listed before what is not, then as routes of these Ingresses would stand to each other.
    pub(super) fn order(&self, other: &Ranked) -> Ordering {
        self.claim.basis.cmp(&other.claim.basis).then_with(|| self.origin.precedence(&other.origin))
    }
}
