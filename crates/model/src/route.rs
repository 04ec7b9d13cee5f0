//! What a request is sent by: a route, and where it was written.

use std::fmt;
use std::sync::Arc;

use crate::{Conditions, HostMatch, ObjectRef, PathMatch, Policy, Target};

/// Where a route was written. Ordered as conflicts are decided: the oldest object first, then by kind, namespace and name, then
/// by place in the object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// When the object was created, in seconds since the epoch; one of which that is not known sorts as the youngest.
    pub created: i64,
    /// The object.
    pub object: Arc<ObjectRef>,
    /// Counts the routes of the object, in the order in which they are written.
    pub place: u32,
    /// The field that the route was written in, as `spec.rules[0].http.paths[1]`.
    pub field: Arc<str>,
}

impl Origin {
    /// The first route of an object whose age is not known, for some path.
    pub fn new(object: ObjectRef, field: &str) -> Origin {
        Origin { created: i64::MAX, object: Arc::new(object), place: 0, field: field.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.object.namespace, self.object.name, self.field)
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
    /// Where it was written.
    pub origin: Origin,
}

impl Route {
    /// Whether TLS connections for its host are passed on by it: only by one that is for all of a host which has a name.
    pub fn passes_tls(&self) -> bool {
        self.policy.passes_tls
            && self.host != HostMatch::Any
            && self.path.is_root()
            && self.conditions.is_empty()
    }
}
