//! What a request is sent by: a route, and the rule it came from.

use std::fmt;
use std::sync::Arc;

use crate::{Conditions, HostMatch, PathMatch, Policy, Target};

/// The rule a route was written in. Ordered as conflicts are decided: the oldest object first, then by namespace
/// and name, then by place in the object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// When the Ingress was created, in seconds since the epoch; a manifest without it sorts as the youngest.
    pub created: i64,
    /// The Ingress' namespace.
    pub namespace: Arc<str>,
    /// The Ingress' name.
    pub name: Arc<str>,
    /// Index in `spec.rules`; `None` for `spec.defaultBackend`.
    pub rule: Option<u32>,
    /// Index in the rule's `http.paths`.
    pub path: u32,
}

impl Origin {
    /// The field of the Ingress that this route was written in.
    pub fn field(&self) -> String {
        match self.rule {
            Some(rule) => format!("spec.rules[{rule}].http.paths[{}]", self.path),
            None => "spec.defaultBackend".into(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.namespace, self.name, self.field())
    }
}

/// Which requests it is for, and what serves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which hosts it matches.
    pub host: HostMatch,
    /// Which paths it matches.
    pub path: PathMatch,
    /// What else must hold of a request. One of which it does not is for the next route that matches: of the same path,
    /// else of the next one that would have been found.
    pub conditions: Conditions,
    /// Where its requests go.
    pub target: Target,
    /// What applies to its requests.
    pub policy: Arc<Policy>,
    /// The rule it was written in.
    pub origin: Origin,
}
