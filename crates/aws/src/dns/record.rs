//! Record sets as Route 53 has them, as far as they matter here.

use std::fmt;

use super::name::Name;
use crate::target::LoadBalancer;

/// The type of a record set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Another name for a name.
    Cname,
    /// Text.
    Txt,
    /// Any other, in Route 53's words.
    Other(Box<str>),
}

impl Kind {
    /// The types by which a host is found.
    pub const OF_HOSTS: [Kind; 3] = [Kind::A, Kind::Aaaa, Kind::Cname];

    /// Reads Route 53's word.
    pub fn new(word: &str) -> Kind {
        match word {
            "A" => Kind::A,
            "AAAA" => Kind::Aaaa,
            "CNAME" => Kind::Cname,
            "TXT" => Kind::Txt,
            other => Kind::Other(other.into()),
        }
    }

    /// Route 53's word.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Cname => "CNAME",
            Kind::Txt => "TXT",
            Kind::Other(word) => word,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordSet {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: Kind,
    /// What it answers.
    pub data: Data,
    /// What else decides on its answer: the identifier of one of several sets (weighted, by latency, …) or a traffic policy. A
    /// set that has any is never touched.
    pub policy: Option<Box<str>>,
    /// The health check that it depends on: to be repeated when it is deleted.
    pub health_check: Option<Box<str>>,
}

/// What a record set answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// What another name answers.
    Alias {
        /// The hosted zone of that name.
        zone: Box<str>,
        /// That name.
        to: Name,
        /// Whether Route 53 asks for its health.
        by_health: bool,
    },
    /// These values.
    Values {
        /// For how many seconds resolvers may keep them.
        ttl: i64,
        /// As Route 53 writes them.
        values: Vec<Box<str>>,
    },
}

impl RecordSet {
    /// A record set without policy and health check.
    pub fn new(name: Name, kind: Kind, data: Data) -> RecordSet {
        RecordSet { name, kind, data, policy: None, health_check: None }
    }

    /// An alias of a load balancer. Its health is not asked for: with one answer there is nothing to choose from.
    pub fn alias(name: &Name, kind: Kind, to: &LoadBalancer) -> RecordSet {
        let data = Data::Alias { zone: (&*to.zone_id).into(), to: Name::new(&to.dns_name), by_health: false };
        RecordSet::new(name.clone(), kind, data)
    }

    /// One value.
    pub fn value(name: &Name, kind: Kind, ttl: i64, value: &str) -> RecordSet {
        RecordSet::new(name.clone(), kind, Data::Values { ttl, values: vec![value.into()] })
    }

    /// Whether a client that asks for either gets the same. Whether an alias looks at health changes nothing where it is the
    /// only answer, so whoever wrote that may keep it.
    pub fn answers_as(&self, other: &RecordSet) -> bool {
        if self.kind != other.kind {
            return false;
        }
        match (&self.data, &other.data) {
            (Data::Alias { zone, to, .. }, Data::Alias { zone: other_zone, to: other_to, .. }) => {
                zone == other_zone && to.is_same_target(other_to)
            }
            (Data::Values { ttl, values }, Data::Values { ttl: other_ttl, values: other_values }) => {
                ttl == other_ttl && self.same_values(values, other_values)
            }
            _ => false,
        }
    }

    fn same_values(&self, some: &[Box<str>], others: &[Box<str>]) -> bool {
        match self.kind {
            Kind::Cname => {
                some.iter().map(|name| Name::new(name)).eq(others.iter().map(|name| Name::new(name)))
            }
            _ => some == others,
        }
    }

    /// Whether it is an alias.
    pub fn is_alias(&self) -> bool {
        matches!(self.data, Data::Alias { .. })
    }
}

/// As in `CNAME shop.example.com → lb.example.org`.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.kind, self.name, self.data)
    }
}

/// What it leads to.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Alias { to, .. } => write!(f, "{to}"),
            Data::Values { values, .. } => f.write_str(&values.join(", ")),
        }
    }
}
