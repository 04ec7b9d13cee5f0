//! What Ingresses say about TLS: which Secrets a host's certificate may come from, and whether those are there and
//! complete. What is in them is not read here.

mod claim;
mod conflict;
mod secret;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{Ingress, IngressSpec, IngressTLS};
use model::{HostMatch, ObjectRef};

use crate::ingress::{self, Served};
use crate::policy::UpstreamSecret;
use crate::problems::{Fault, Problems};
use crate::{ObjectKey, Objects, Settings, reasons};

use claim::Ranked;
pub use claim::{Basis, CertificateClaims, Claim, NamedSecret};
use secret::By;

/// What the Ingresses said so far.
pub(crate) struct Tls<'a> {
    objects: &'a Objects,
    hosts: BTreeMap<HostMatch, Vec<Ranked>>,
    own_names: Vec<Ranked>,
    /// The Secrets that are named, whether they exist or not.
    named: BTreeSet<ObjectKey>,
    /// Those of them that are for handshakes with endpoints.
    upstream: BTreeSet<ObjectKey>,
}

impl<'a> Tls<'a> {
    pub(crate) fn new(objects: &'a Objects) -> Tls<'a> {
        Tls {
            objects,
            hosts: BTreeMap::new(),
            own_names: Vec::new(),
            named: BTreeSet::new(),
            upstream: BTreeSet::new(),
        }
    }

    /// Adds an Ingress. Of the hosts that its TLS entries list, each has the Secrets of the entries that list it; where
    /// these name none it has the default certificate (Ingress v1). For a host that only a rule has, each of the Secrets
    /// will do whose certificate is for it, as with ingress-nginx.
    pub(crate) fn add(
        &mut self,
        key: &ObjectKey,
        ingress: &Ingress,
        served: &Served,
        problems: &mut Problems,
    ) {
        if let Some(secret) = &served.upstream_secret {
            self.add_upstream(key, secret, problems);
        }
        let Some(spec) = &ingress.spec else { return };
        let (mut listed, mut all) = (BTreeMap::<HostMatch, Vec<NamedSecret>>::new(), Vec::new());
        for (entry, at) in spec.tls.iter().flatten().zip(0..) {
            let secret = self.secret(key, at, entry, problems);
            for host in hosts(key, at, entry, problems) {
                let secrets = listed.entry(host).or_default();
                secret.iter().for_each(|secret| Claim::add(secrets, secret));
            }
            secret.iter().for_each(|secret| Claim::add(&mut all, secret));
        }
        let created = ingress.metadata.creation_timestamp.as_ref();
        let created = created.map_or(i64::MAX, |time| time.0.as_second());
        for host in rule_hosts(spec).into_iter().filter(|host| !listed.contains_key(host)) {
            self.claim(
                host,
                created,
                Claim { ingress: key.clone(), basis: Basis::Rule, secrets: all.clone() },
            );
        }
        for (host, secrets) in listed {
            self.claim(host, created, Claim { ingress: key.clone(), basis: Basis::Listed, secrets });
        }
    }

    /// Adds the Secret for handshakes with endpoints.
    fn add_upstream(&mut self, key: &ObjectKey, named: &UpstreamSecret, problems: &mut Problems) {
        let secret = ObjectKey::new(&*key.namespace, &*named.name);
        if let Some(fault) = secret::without_credentials(&secret, named.verify, self.objects) {
            problems.add(ObjectRef::new("Ingress", &key.namespace, &key.name), &*named.field, fault);
        }
        self.named.insert(secret.clone());
        self.upstream.insert(secret);
    }

    /// Adds a claim, unless it has nothing to give.
    fn claim(&mut self, host: HostMatch, created: i64, claim: Claim) {
        if claim.secrets.is_empty() {
            return;
        }
        let claims = match host {
            HostMatch::Any => &mut self.own_names,
            host => self.hosts.entry(host).or_default(),
        };
        claims.push(Ranked { created, claim });
    }

    /// The Secret that a TLS entry names, if it does.
    fn secret(
        &mut self,
        key: &ObjectKey,
        at: u32,
        entry: &IngressTLS,
        problems: &mut Problems,
    ) -> Option<NamedSecret> {
        let (secret, field) = (secret_of(key, entry)?, format!("spec.tls[{at}].secretName"));
        if let Some(fault) = secret::without_certificate(&secret, By::Ingress, self.objects) {
            problems.add(ObjectRef::new("Ingress", &key.namespace, &key.name), &*field, fault);
        }
        self.named.insert(secret.clone());
        Some(NamedSecret { secret, field })
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
        self.own_names.sort_by_cached_key(Ranked::rank);
        let own_names = self.own_names.into_iter().map(|ranked| ranked.claim).collect();
        let settle = |(host, claims)| {
            let claims = conflict::settle(&host, claims, problems);
            (host, claims)
        };
        let hosts = self.hosts.into_iter().map(settle).collect();
        (CertificateClaims { hosts, own_names, default, upstream: self.upstream }, self.named)
    }

    /// The operator names this Secret.
    fn name(&mut self, key: &ObjectKey, fault: Option<Fault>, problems: &mut Problems) {
        if let Some(fault) = fault {
            problems.add(ObjectRef::new("Secret", &key.namespace, &key.name), "", fault);
        }
        self.named.insert(key.clone());
    }
}

/// The Secrets that an Ingress names, whoever's it is.
pub fn secrets_of(key: &ObjectKey, ingress: &Ingress) -> BTreeSet<ObjectKey> {
    let entries = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    let upstream = ingress::upstream_secret(key, ingress);
    let upstream = upstream.map(|secret| ObjectKey::new(&*key.namespace, &*secret.name));
    entries.filter_map(|entry| secret_of(key, entry)).chain(upstream).collect()
}

/// The Secret that a TLS entry names, in the Ingress' own namespace.
fn secret_of(key: &ObjectKey, entry: &IngressTLS) -> Option<ObjectKey> {
    let name = entry.secret_name.as_deref().filter(|name| !name.is_empty())?;
    Some(ObjectKey::new(&*key.namespace, name))
}

/// The hosts that a TLS entry lists.
fn hosts(key: &ObjectKey, at: u32, entry: &IngressTLS, problems: &mut Problems) -> Vec<HostMatch> {
    let mut hosts = Vec::new();
    for (host, host_at) in entry.hosts.iter().flatten().zip(0..) {
        let why = match HostMatch::parse(host) {
            Ok(HostMatch::Any) => "the host is empty".into(),
            Ok(host) => {
                hosts.push(host);
                continue;
            }
            Err(error) => error.to_string(),
        };
        let ingress = ObjectRef::new("Ingress", &key.namespace, &key.name);
        problems.add(ingress, format!("spec.tls[{at}].hosts[{host_at}]"), bad_host(host, &why));
    }
    hosts
}

fn bad_host(host: &str, why: &str) -> Fault {
    let message = format!("{host:?} is no host: {why}; no certificate is found by it");
    let remedy = "write a DNS name, or *. and a DNS name; or no hosts, to have those of the rules";
    Fault::error(reasons::INVALID_HOST, message, remedy)
}

/// The hosts of the rules, each once, as far as they are hosts. A default backend without rules serves any.
fn rule_hosts(spec: &IngressSpec) -> BTreeSet<HostMatch> {
    let rules = spec.rules.as_deref().unwrap_or_default();
    let hosts = rules.iter().map(|rule| HostMatch::parse(rule.host.as_deref().unwrap_or_default()));
    let any = (rules.is_empty() && spec.default_backend.is_some()).then_some(HostMatch::Any);
    hosts.filter_map(Result::ok).chain(any).collect()
}
