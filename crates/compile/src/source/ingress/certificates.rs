//! Which Secrets an Ingress gives for which hosts (`spec.tls`).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{Ingress, IngressSpec, IngressTLS};
use model::{HostMatch, ObjectRef};

use crate::problems::{Fault, Problems};
use crate::source::Certificates;
use crate::tls::{Basis, NamedSecret};
use crate::{ObjectKey, reasons};

/// Of the hosts that the TLS entries list, each has the Secrets of the entries that list it; where these name none it has the
/// default certificate (Ingress v1). For a host that only a rule has, each of the Secrets will do whose certificate is for it,
/// as with ingress-nginx.
pub(super) fn read(key: &ObjectKey, ingress: &Ingress, problems: &mut Problems) -> Certificates {
    let Some(spec) = &ingress.spec else { return Certificates::default() };
    let named: BTreeMap<usize, NamedSecret> = secrets(key, ingress).collect();
    let mut listed = BTreeMap::<HostMatch, Vec<NamedSecret>>::new();
    for (at, entry) in spec.tls.iter().flatten().enumerate() {
        for host in hosts(key, at, entry, problems) {
            listed.entry(host).or_default().extend(named.get(&at).cloned());
        }
    }
    let secrets: Vec<NamedSecret> = named.into_values().collect();
    let by_rule = rule_hosts(spec).into_iter().filter(|host| !listed.contains_key(host));
    let by_rule: Vec<_> = by_rule.map(|host| (host, Basis::Rule, secrets.clone())).collect();
    let listed = listed.into_iter().map(|(host, secrets)| (host, Basis::Listed, secrets));
    let is_asked = spec.tls.as_ref().is_some_and(|tls| !tls.is_empty());
    Certificates { is_asked, claims: by_rule.into_iter().chain(listed).collect(), secrets }
}

/// The Secrets that the TLS entries name, in the Ingress' own namespace, each with the place of its entry.
pub(super) fn secrets(key: &ObjectKey, ingress: &Ingress) -> impl Iterator<Item = (usize, NamedSecret)> {
    let entries = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten()).enumerate();
    entries.filter_map(|(at, entry)| {
        let name = entry.secret_name.as_deref().filter(|name| !name.is_empty())?;
        let field = format!("spec.tls[{at}].secretName");
        Some((at, NamedSecret { secret: ObjectKey::new(&*key.namespace, name), field }))
    })
}

/// The hosts that a TLS entry lists.
fn hosts(key: &ObjectKey, at: usize, entry: &IngressTLS, problems: &mut Problems) -> Vec<HostMatch> {
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
