//! What is written into the cluster, and under which name.

use std::net::IpAddr;
use std::str::FromStr;

use compile::ObjectKey;

use crate::kinds::FIELD_MANAGER_PREFIX;

/// The API server takes no longer name of a field manager, nor of an Event's reporting instance.
const NAME_BYTES_MAX: usize = 128;

/// What is written into the cluster. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the status of our Ingresses shows; `None` writes no status.
    pub status: Option<Publish>,
    /// Whether problems are told as Events.
    pub events: bool,
    /// Whether something outside of the cluster is written by the Lease's holder, too: then there is one in any case.
    pub others_write: bool,
    /// The Lease whose holder alone writes.
    pub lease: LeaseName,
}

impl Report {
    /// The Service whose addresses are needed.
    pub(crate) fn publish_service(&self) -> Option<&ObjectKey> {
        match &self.status {
            Some(Publish::Service(service)) => Some(service),
            Some(Publish::Addresses(_)) | None => None,
        }
    }
}

/// Names a Lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace; `None` is the one we run in.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Where our Ingresses can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publish {
    /// At these addresses.
    Addresses(Vec<Address>),
    /// Where this Service of type LoadBalancer can be.
    Service(ObjectKey),
}

/// One place where we can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A DNS name, as load balancers of AWS have, in lower case.
    Hostname(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(raw: &str) -> Result<Address, String> {
        if let Ok(ip) = raw.parse() {
            return Ok(Address::Ip(ip));
        }
        let name = raw.to_ascii_lowercase();
        match is_dns_name(&name) {
            true => Ok(Address::Hostname(name)),
            false => Err(format!(
                "{raw:?} is neither an IP address nor a DNS name; write it without scheme and port"
            )),
        }
    }
}

/// What the API server takes as a hostname (RFC 1123). One that ends in a number would be read as an IPv4 address.
fn is_dns_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// All that [`run`](super::run) needs to know.
#[derive(Clone, Debug)]
pub(crate) struct ReportConfig {
    /// As in [`Report`].
    pub(crate) status: Option<Publish>,
    /// As in [`Report`].
    pub(crate) events: bool,
    /// As in [`Report`].
    pub(crate) others_write: bool,
    /// The Lease's namespace and name.
    pub(crate) lease: ObjectKey,
    /// This process among its replicas; no other process may ever have the same.
    pub(crate) identity: String,
    /// Marks the status that we wrote. Installations with different classes must not share it: each would take the
    /// other's status for one that it has left behind itself.
    pub(crate) field_manager: String,
    /// The controller that Events name.
    pub(crate) reporting_controller: String,
}

impl ReportConfig {
    /// Fills in our own names. `namespace` is the one we run in, `controller` the `spec.controller` of our
    /// IngressClasses.
    pub(crate) fn new(report: Report, namespace: &str, controller: &str) -> ReportConfig {
        let Report { status, events, others_write, lease } = report;
        let lease = ObjectKey::new(lease.namespace.unwrap_or_else(|| namespace.to_owned()), lease.name);
        // Replicas share a Lease, installations do not.
        let field_manager = format!("{FIELD_MANAGER_PREFIX}/{}/{}", lease.namespace, lease.name);
        ReportConfig {
            status,
            events,
            others_write,
            lease,
            identity: identity(&host()),
            field_manager: cut(field_manager),
            reporting_controller: controller.into(),
        }
    }
}

/// The host with a number: a process that starts again in the same pod is another one.
fn identity(host: &str) -> String {
    let number = format!("_{:016x}", fastrand::u64(..));
    let mut identity = host.to_owned();
    identity.truncate(identity.floor_char_boundary(NAME_BYTES_MAX - number.len()));
    identity + &number
}

/// The pod's name, or the node's where the pod is in its network.
fn host() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => FIELD_MANAGER_PREFIX.to_owned(),
        host => host.to_owned(),
    }
}

fn cut(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_ip_address_or_a_dns_name_and_nothing_else() {
        assert_eq!("2001:DB8::1".parse(), Ok(Address::Ip("2001:db8::1".parse().unwrap())));
        assert_eq!("LB-1.example.org".parse(), Ok(Address::Hostname("lb-1.example.org".into())));
        for raw in ["", "https://lb", "lb:80", "10.0.0.256", "a..b", "-a", "a_b", "lb.example.org."] {
            let refused = raw.parse::<Address>().expect_err(raw);
            assert!(refused.contains("without scheme and port"), "{raw}: {refused}");
        }
    }

    #[test]
    fn no_two_processes_of_a_host_have_the_same_identity() {
        assert_ne!(identity("node-1"), identity("node-1"));
        assert!(identity("node-1").starts_with("node-1_"));
        assert_eq!(identity(&"é".repeat(200)).len(), NAME_BYTES_MAX - 1);
    }

    #[test]
    fn installations_with_leases_of_their_own_have_field_managers_of_their_own() {
        let manager = |name: &str| {
            let lease = LeaseName { namespace: None, name: name.into() };
            ReportConfig::new(Report { lease, ..Report::default() }, "ingress", "x/y").field_manager
        };
        assert_eq!(manager("sluicegate-public"), "sluicegate/ingress/sluicegate-public");
        assert_ne!(manager("sluicegate-public"), manager("sluicegate-internal"));
        assert_eq!(manager(&"x".repeat(253)).len(), NAME_BYTES_MAX);
    }
}
