//! The status of Ingresses: the addresses at which they can be reached.

use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use serde_json::json;

use super::writer::{Write, Writer};
use crate::kinds::{Id, Kind};
use crate::report::{Address, Publish, Told};

/// Writes the addresses into the status of our Ingresses.
pub(super) struct IngressWriter {
    /// `None`: the addresses of the Service.
    addresses: Option<Vec<IngressLoadBalancerIngress>>,
    manager: String,
}

impl Writer for IngressWriter {
    /// While it is not known what to show, ours stay as they are: DNS records hang on them, and a Service may be away for a
    /// moment.
    fn wrong(&self, told: &Told) -> Vec<Write> {
        let mut wrong = self.left_behind(told);
        let addresses = match &self.addresses {
            Some(addresses) => addresses.clone(),
            None => sorted(told.service.iter().flat_map(|service| service.iter().map(without_ports))),
        };
        if !addresses.is_empty() {
            let shows = |key: &ObjectKey| {
                told.statuses.ingresses.get(key).map(|seen| sorted(seen.addresses.iter().cloned()))
            };
            let differs = |key: &&ObjectKey| shows(key).is_some_and(|shown| shown != addresses);
            let status = Arc::new(json!({ "loadBalancer": { "ingress": addresses } }));
            let write = |key: &ObjectKey| write(key, Some(Arc::clone(&status)));
            wrong.extend(told.ours.iter().filter(differs).map(write));
        }
        wrong
    }
}

impl IngressWriter {
    pub(super) fn new(publish: &Publish, manager: &str) -> IngressWriter {
        let addresses = match publish {
            Publish::Addresses(addresses) => Some(sorted(addresses.iter().map(entry))),
            Publish::Service(_) => None,
        };
        IngressWriter { addresses, manager: manager.to_owned() }
    }

    /// Those that we wrote, of Ingresses that are not ours any more.
    fn left_behind(&self, told: &Told) -> Vec<Write> {
        let shown = told.statuses.ingresses.iter().filter(|(_, seen)| !seen.addresses.is_empty());
        let ours = shown.filter(|(_, seen)| seen.managers.contains(&self.manager));
        let left = ours.filter(|(key, _)| told.ours.binary_search(key).is_err());
        left.map(|(key, _)| write(key, None)).collect()
    }
}

fn write(key: &ObjectKey, status: Option<Arc<serde_json::Value>>) -> Write {
    Write { id: Id::new(Kind::Ingress, key.clone()), status }
}

fn entry(address: &Address) -> IngressLoadBalancerIngress {
    let none = IngressLoadBalancerIngress::default();
    match address {
        Address::Ip(ip) => IngressLoadBalancerIngress { ip: Some(ip.to_string()), ..none },
        Address::Hostname(name) => IngressLoadBalancerIngress { hostname: Some(name.clone()), ..none },
    }
}

/// A Service's ports are no ports of the Ingress.
fn without_ports(entry: &IngressLoadBalancerIngress) -> IngressLoadBalancerIngress {
    IngressLoadBalancerIngress { ports: None, ..entry.clone() }
}

/// Sorted, each once, without those that say nothing.
fn sorted(entries: impl Iterator<Item = IngressLoadBalancerIngress>) -> Vec<IngressLoadBalancerIngress> {
    let mut entries: Vec<_> =
        entries.filter(|entry| entry.ip.is_some() || entry.hostname.is_some()).collect();
    entries.sort_by(|one, other| (&one.ip, &one.hostname).cmp(&(&other.ip, &other.hostname)));
    entries.dedup();
    entries
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kinds::{SeenStatus, Statuses};

    fn ip(ip: &str) -> IngressLoadBalancerIngress {
        entry(&Address::Ip(ip.parse().unwrap()))
    }

    fn seen(addresses: &[&str], manager: &str) -> Arc<SeenStatus> {
        let addresses = addresses.iter().map(|address| ip(address)).collect();
        Arc::new(SeenStatus { addresses, managers: vec![manager.to_owned()] })
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn told(ours: &[&str], statuses: &[(&str, Arc<SeenStatus>)]) -> Told {
        let ingresses: BTreeMap<_, _> =
            statuses.iter().map(|(name, seen)| (key(name), Arc::clone(seen))).collect();
        let ours = ours.iter().map(|name| key(name)).collect();
        Told { ours: Arc::new(ours), statuses: Arc::new(Statuses { ingresses }), ..Told::default() }
    }

    fn addresses(shown: &[&str]) -> IngressWriter {
        let addresses = shown.iter().map(|address| address.parse().unwrap()).collect();
        IngressWriter::new(&Publish::Addresses(addresses), "sluicegate")
    }

    fn shown(wrong: &[Write]) -> Vec<(&str, Vec<&str>)> {
        wrong.iter().map(|write| (&*write.id.name, addresses_of(write))).collect()
    }

    fn addresses_of(write: &Write) -> Vec<&str> {
        let Some(status) = &write.status else { return Vec::new() };
        let addresses = status["loadBalancer"]["ingress"].as_array().expect("addresses");
        addresses.iter().map(name_of).collect()
    }

    fn name_of(entry: &serde_json::Value) -> &str {
        entry["ip"].as_str().or(entry["hostname"].as_str()).unwrap_or_default()
    }

    #[test]
    fn only_statuses_that_differ_are_written() {
        let same = seen(&["192.0.2.2", "192.0.2.1"], "nginx");
        let told = told(
            &["a", "b", "c"],
            &[("a", same), ("b", seen(&[], "")), ("c", seen(&["192.0.2.9"], "nginx"))],
        );
        let wrong = addresses(&["192.0.2.1", "192.0.2.2", "192.0.2.1"]).wrong(&told);
        let both = vec!["192.0.2.1", "192.0.2.2"];
        assert_eq!(shown(&wrong), [("b", both.clone()), ("c", both)]);
    }

    #[test]
    fn host_names_and_addresses_stand_beside_each_other() {
        let told = told(&["a"], &[("a", seen(&[], ""))]);
        let wrong = addresses(&["lb.example.org", "2001:db8::1"]).wrong(&told);
        assert_eq!(shown(&wrong), [("a", vec!["lb.example.org", "2001:db8::1"])]);
    }

    #[test]
    fn a_status_that_we_left_behind_is_taken_back_and_no_other() {
        let statuses = [
            ("gone", seen(&["192.0.2.1"], "sluicegate")),
            ("done", seen(&[], "sluicegate")),
            ("other", seen(&["192.0.2.1"], "sluicegate/internal")),
            ("nginx", seen(&["192.0.2.1"], "nginx")),
        ];
        assert_eq!(shown(&addresses(&["192.0.2.1"]).wrong(&told(&[], &statuses))), [("gone", vec![])]);
    }

    #[test]
    fn an_ingress_whose_status_is_not_known_is_left_alone() {
        assert_eq!(addresses(&["192.0.2.1"]).wrong(&told(&["a"], &[])), []);
    }

    #[test]
    fn a_service_that_is_not_known_or_has_no_address_takes_none_away() {
        let writer = IngressWriter::new(&Publish::Service(key("lb")), "sluicegate");
        let statuses = [("a", seen(&["192.0.2.1"], "sluicegate")), ("b", seen(&["192.0.2.1"], "sluicegate"))];
        let mut told = told(&["a"], &statuses);
        for service in [None, Some(Arc::default())] {
            told.service = service;
            assert_eq!(
                shown(&writer.wrong(&told)),
                [("b", vec![])],
                "what is not ours is cleared all the same"
            );
        }
        told.service = Some(Arc::new(vec![ip("192.0.2.7")]));
        assert_eq!(shown(&writer.wrong(&told)), [("b", vec![]), ("a", vec!["192.0.2.7"])]);
    }

    #[test]
    fn the_ports_of_a_service_are_not_copied() {
        let writer = IngressWriter::new(&Publish::Service(key("lb")), "sluicegate");
        let mut told = told(&["a"], &[("a", seen(&["192.0.2.7"], ""))]);
        let ports = Some(vec![k8s_openapi::api::networking::v1::IngressPortStatus::default()]);
        told.service = Some(Arc::new(vec![IngressLoadBalancerIngress { ports, ..ip("192.0.2.7") }]));
        assert_eq!(writer.wrong(&told), []);
    }
}
