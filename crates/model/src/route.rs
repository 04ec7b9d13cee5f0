//! What a request is sent by: a route, and where it was written.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::{Conditions, HostMatch, ObjectRef, PathMatch, Policy, Target};

/// Where a route was written. Ordered as conflicts are decided: the oldest object first, then as its [`Tie`] has it, then by
/// place in the object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// When the object was created, in seconds since the epoch; one of which that is not known sorts as the youngest.
    pub created: i64,
    /// The object.
    pub object: Arc<ObjectRef>,
    /// How its object stands to others that are as old.
    pub tie: Tie,
    /// Counts the routes of the object, in the order in which they are written.
    pub place: u32,
    /// The field that the route was written in, as `spec.rules[0].http.paths[1]`.
    pub field: Arc<str>,
}

impl Origin {
    /// The first route of an object whose age is not known, for some path.
    pub fn new(object: ObjectRef, field: &str) -> Origin {
        Origin {
            created: i64::MAX,
            object: Arc::new(object),
            tie: Tie::default(),
            place: 0,
            field: field.into(),
        }
    }

    /// Its place among the origins of all objects.
    pub fn precedence(&self, other: &Origin) -> Ordering {
        let by_age = self.created.cmp(&other.created).then_with(|| self.tie.cmp(&other.tie));
        by_age.then_with(|| self.tie.of(&self.object, &other.object))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Origin) -> Ordering {
        let by_object = self.precedence(other);
        by_object.then_with(|| self.place.cmp(&other.place)).then_with(|| self.field.cmp(&other.field))
    }
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Origin) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which of two objects that are as old goes first. Those with one tie go before those with another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// The first by kind, namespace and name.
    #[default]
    First,
    /// The last by `namespace/name`, as with ingress-nginx.
    Last,
}

impl Tie {
    /// How two objects that are as old stand to each other.
    pub fn of(self, one: &ObjectRef, other: &ObjectRef) -> Ordering {
        match self {
            Tie::First => one.cmp(other),
            Tie::Last => path(other).cmp(path(one)).then_with(|| one.cmp(other)),
        }
    }
}

fn path(object: &ObjectRef) -> impl Iterator<Item = u8> {
    object.namespace.bytes().chain([b'/']).chain(object.name.bytes())
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
