//! Where this node may be registered.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Identity;
use crate::target::Scheme;

/// What stands in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A Classic Load Balancer.
    Classic,
    /// A Network Load Balancer.
    Network,
    /// An Application Load Balancer.
    Application,
    /// A target group that no load balancer uses.
    Unused,
}

impl Kind {
    /// As people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Classic => "classic",
            Kind::Network => "nlb",
            Kind::Application => "alb",
            Kind::Unused => "target group",
        }
    }
}

/// What a target group registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The instance.
    Instance,
    /// Its address.
    Address,
}

/// Where a registration is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// At a classic load balancer of this name.
    Classic(String),
    /// At the target group with this ARN.
    Group(String, Target),
}

impl At {
    /// What tells it from all others.
    pub fn id(&self) -> &str {
        match self {
            At::Classic(name) => name,
            At::Group(arn, _) => arn,
        }
    }
}

/// A place at which this node may be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub at: At,
    /// What stands in front.
    pub kind: Kind,
    /// The name of the load balancer, and that of the target group if there is one.
    pub name: String,
    /// From where it can be reached.
    pub scheme: Option<Scheme>,
    /// How long AWS itself lets connections go on after a deregistration (`deregistration_delay.timeout_seconds`, connection
    /// draining); none if it could not be read.
    pub drain_time: Option<Duration>,
}

impl Place {
    /// By what this node is registered here; none if this node does not know that of itself.
    pub fn registers(&self, identity: &Identity) -> Option<String> {
        match &self.at {
            At::Classic(_) | At::Group(_, Target::Instance) => identity.instance_id.clone(),
            At::Group(_, Target::Address) => identity.address.as_ref().map(IpAddr::to_string),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}
