//! Where the hosts of a scheme lead: the word that discovery and DNS share.
//!
//! [`Frontends`] is what discovery of load balancers found out last. It is published as a value; DNS and the status of
//! Ingresses read it.

use std::collections::BTreeMap;

pub use model::FrontendScheme as Scheme;

/// A load balancer as DNS knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its name in DNS, as AWS says it (`DNSName`).
    pub dns_name: String,
    /// The hosted zone of that name, which an alias has to tell: `CanonicalHostedZoneNameID` of a classic one,
    /// `CanonicalHostedZoneId` of others.
    pub zone_id: String,
    /// Whether clients can reach it by IPv6, so that an alias AAAA leads somewhere: of a `dualstack` load balancer.
    pub dual_stack: bool,
}

/// The load balancers in front of this cluster, one for each scheme at most. A scheme that is not in here has none, or none
/// that is known: its records stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontends {
    /// By scheme.
    pub by_scheme: BTreeMap<Scheme, LoadBalancer>,
}

impl Frontends {
    /// The load balancer of a scheme.
    pub fn of(&self, scheme: Scheme) -> Option<&LoadBalancer> {
        self.by_scheme.get(&scheme)
    }
}
