//! What routes' objects say about TLS: which Secrets a host's certificate may come from, and whether those are there and
//! complete. What is in them is not read here.

mod claim;
mod conflict;
mod secret;

use std::collections::{BTreeMap, BTreeSet};

use model::{HostMatch, ObjectRef, Origin};

use crate::hosts::Hosts;
use crate::policy::{self, UpstreamSecret};
use crate::problems::{Fault, Problems};
use crate::source::Draft;
use crate::{ObjectKey, Objects, Profile, Settings, auth};

use claim::Ranked;
pub use claim::{Basis, CertificateClaims, Claim, NamedSecret};
use secret::By;

/// What is wrong with a Secret that an Ingress names and that is not there.
pub(crate) fn absent_secret(key: &ObjectKey, objects: &Objects) -> Option<Fault> {
    secret::absent(key, By::Ingress, objects)
}

/// What the Ingresses said so far.
pub(crate) struct Tls<'a> {
    objects: &'a Objects,
    hosts: BTreeMap<HostMatch, Vec<Ranked>>,
    own_names: Vec<Ranked>,
    /// The Secrets that are named, whether they exist or not.
    named: BTreeSet<ObjectKey>,
    /// Those of them that are for handshakes with endpoints.
    upstream: BTreeSet<ObjectKey>,
    /// Those of them that clients are verified by.
    clients: BTreeSet<ObjectKey>,
    /// Whether an object is read as ingress-nginx reads it.
    stand_in: bool,
}

impl<'a> Tls<'a> {
    pub(crate) fn new(objects: &'a Objects) -> Tls<'a> {
        Tls {
            objects,
            hosts: BTreeMap::new(),
            own_names: Vec::new(),
            named: BTreeSet::new(),
            upstream: BTreeSet::new(),
            clients: BTreeSet::new(),
            stand_in: false,
        }
    }

    /// Adds what an object says: its claims, and the Secrets that it names.
    pub(crate) fn add(&mut self, draft: &Draft, hosts: &Hosts, problems: &mut Problems) {
        let Draft { object, certificates, asked, .. } = draft;
        let origin = draft.origin("");
        self.stand_in |= draft.profile == Profile::IngressNginx;
        let mut add = |NamedSecret { secret, field }: &NamedSecret, fault: Option<Fault>| {
            if let Some(fault) = fault {
                problems.add(ObjectRef::clone(object), &**field, fault);
            }
            self.named.insert(secret.clone());
        };
        if let Some(UpstreamSecret { named, verify }) = policy::upstream_secret(asked) {
            add(&named, secret::without_credentials(&named.secret, verify, self.objects));
            self.upstream.insert(named.secret);
        }
        if let Some(named) = &asked.client_tls.secret {
            add(named, secret::without_client_ca(&named.secret, self.objects));
            self.clients.insert(named.secret.clone());
        }
        // What is wrong with it is told where it is read.
        if let Some(named) = auth::secret(asked) {
            add(named, None);
        }
        for named in &certificates.secrets {
            add(named, secret::without_certificate(&named.secret, By::Ingress, self.objects));
        }
        for (host, basis, secrets) in &certificates.claims {
            let ingress = ObjectKey::new(&*object.namespace, &*object.name);
            let mut claim = Claim { ingress, basis: *basis, secrets: Vec::new() };
            secrets.iter().for_each(|secret| claim.add(secret));
            // A host's certificate is its aliases' too, as far as it is for them.
            for alias in hosts.aliases_of(host) {
                self.claim(alias.clone(), &origin, Claim { basis: Basis::Rule, ..claim.clone() });
            }
            self.claim(host.clone(), &origin, claim);
        }
    }

    /// Adds a claim, unless it has nothing to give.
    fn claim(&mut self, host: HostMatch, origin: &Origin, claim: Claim) {
        if claim.secrets.is_empty() {
            return;
        }
        let claims = match host {
            HostMatch::Any => &mut self.own_names,
            host => self.hosts.entry(host).or_default(),
        };
        claims.push(Ranked { origin: origin.clone(), claim });
    }

    /// These Secrets are still needed for handshakes with endpoints, though no Ingress may name them any more.
    pub(crate) fn keep(&mut self, secrets: BTreeSet<ObjectKey>) {
        self.named.extend(secrets.iter().cloned());
        self.upstream.extend(secrets);
    }

    /// All claims, and the Secrets that Ingresses and the operator name.
    pub(crate) fn finish(
        mut self,
        settings: &Settings,
        problems: &mut Problems,
    ) -> (CertificateClaims, BTreeSet<ObjectKey>) {
        let default = settings.default_certificate.clone();
        if let Some(key) = &default {
            self.name(key, secret::without_certificate(key, By::Operator, self.objects), problems);
        }
        if let Some(key) = &settings.ticket_keys {
            self.name(key, secret::absent(key, By::Operator, self.objects), problems);
        }
        self.own_names.sort_by(Ranked::order);
        let own_names = self.own_names.into_iter().map(|ranked| ranked.claim).collect();
        let settle = |(host, claims)| {
            let claims = conflict::settle(&host, claims, problems);
            (host, claims)
        };
        let hosts = self.hosts.into_iter().map(settle).collect();
        (
            CertificateClaims {
                hosts,
                own_names,
                stand_in: self.stand_in && default.is_none(),
                default,
                upstream: self.upstream,
                clients: self.clients,
            },
            self.named,
        )
    }

    /// The operator names this Secret.
    fn name(&mut self, key: &ObjectKey, fault: Option<Fault>, problems: &mut Problems) {
        if let Some(fault) = fault {
            problems.add(ObjectRef::new("Secret", &key.namespace, &key.name), "", fault);
        }
        self.named.insert(key.clone());
    }
}
