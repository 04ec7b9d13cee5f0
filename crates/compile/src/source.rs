//! Where routes come from. Each kind of object that routes are written in has one reader here, which turns an object into a
//! [`Draft`]: after that nothing depends on the kind. Whether Services and Secrets that a draft names exist is decided where
//! it is added, by [`routes`](crate::routes) and [`tls`](crate::tls).

pub(crate) mod ingress;

use std::sync::Arc;

use model::{HostMatch, ObjectRef, Origin, Redirect};

use crate::policy::RouteSettings;
use crate::profile::Profile;
use crate::reference::Reference;
use crate::tls::{Basis, NamedSecret};

/// What an object asks to have served.
#[derive(Clone)]
pub(crate) struct Draft {
    /// The object.
    pub(crate) object: Arc<ObjectRef>,
    /// When it was created, in seconds since 1970; if that is not known, the youngest.
    pub(crate) created: i64,
    /// By whose rules it is read.
    pub(crate) profile: Profile,
    /// The hosts that it names, even where none of their routes can be served: no less specific host gets their requests.
    pub(crate) hosts: Vec<HostMatch>,
    /// Its routes, in the order in which they are written.
    pub(crate) routes: Vec<RouteDraft>,
    /// What it says of certificates.
    pub(crate) certificates: Certificates,
    /// What it asks for its routes.
    pub(crate) asked: RouteSettings,
}

impl Draft {
    /// Whether it serves what nothing else does, on every host. With ingress-nginx it is for hosts that have no name alone.
    pub(crate) fn is_catch_all(&self) -> bool {
        self.profile == Profile::Own
            && self.routes.iter().any(|route| matches!(route.serves, Serves::Rest { catch_all: true, .. }))
    }

    /// Its place among the objects that ask for the same, as that of its first route.
    pub(crate) fn origin(&self, field: &str) -> Origin {
        Origin {
            created: self.created,
            object: Arc::clone(&self.object),
            tie: self.profile.tie(),
            place: 0,
            field: field.into(),
        }
    }

    /// Whether it says what serves the requests that no rule of it does.
    pub(crate) fn has_default(&self) -> bool {
        self.routes.iter().any(|route| route.written == Written::Rest)
    }

    /// Its rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&HostMatch, &RulePath)> {
        self.routes.iter().filter_map(|route| match &route.serves {
            Serves::Path(host, path) => Some((host, path)),
            Serves::Rest { .. } => None,
        })
    }
}

/// A route whose backend is named and not yet looked for, and whose policy is not built.
#[derive(Clone)]
pub(crate) struct RouteDraft {
    pub(crate) serves: Serves,
    /// The same, as it is written.
    pub(crate) written: Written,
    /// What it leads to.
    pub(crate) backend: Reference,
    /// The field that says so.
    pub(crate) backend_field: String,
    pub(crate) origin: Origin,
    /// Where all its clients are sent, whatever else its object asks for.
    pub(crate) redirect: Option<Redirect>,
}

/// The requests that a rule is for, as it is written: a canary is one of the rule that is written in the same way, whatever
/// either comes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Written {
    /// A host, a path and its type.
    Path { host: HostMatch, path: String, path_type: String },
    /// All that no rule of the object matches.
    Rest,
}

/// The requests that a route is for.
#[derive(Clone)]
pub(crate) enum Serves {
    /// Those for this host and path.
    Path(HostMatch, RulePath),
    /// Those for these hosts that no rule matches and, if `catch_all`, those that nothing else serves.
    Rest { hosts: Vec<HostMatch>, catch_all: bool },
}

impl Serves {
    /// Whether they are all of a host that has a name.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Serves::Path(host, path) => *host != HostMatch::Any && path.is_root(),
            Serves::Rest { hosts, .. } => hosts.iter().any(|host| *host != HostMatch::Any),
        }
    }

    /// The path, if it is one.
    pub(crate) fn path(&self) -> Option<&RulePath> {
        match self {
            Serves::Path(_, path) => Some(path),
            Serves::Rest { .. } => None,
        }
    }
}

/// A path as a rule writes it. What it matches may depend on what others ask for its host.
#[derive(Clone, Debug)]
pub(crate) struct RulePath {
    pub(crate) written: String,
    pub(crate) kind: PathKind,
}

/// `pathType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathKind {
    Exact,
    Prefix,
    /// `ImplementationSpecific`, as Prefix where it is not read as a pattern.
    Specific,
}

impl RulePath {
    pub(crate) fn is_exact(&self) -> bool {
        self.kind == PathKind::Exact
    }

    /// Whether all paths begin so.
    pub(crate) fn is_root(&self) -> bool {
        self.written == "/" && !self.is_exact()
    }
}

/// What an object says of certificates.
#[derive(Clone, Default)]
pub(crate) struct Certificates {
    /// Whether it says anything: then its hosts have a certificate, if only the default one.
    pub(crate) is_asked: bool,
    /// The Secrets that it names.
    pub(crate) secrets: Vec<NamedSecret>,
    /// Where the certificate of each host may come from. One that claims [`HostMatch::Any`] is for the names that its
    /// certificates have themselves.
    pub(crate) claims: Vec<(HostMatch, Basis, Vec<NamedSecret>)>,
}
