//! Where routes come from. Each kind of object that routes are written in has one reader here, which turns an object into a
//! [`Draft`]: after that nothing depends on the kind. Whether Services and Secrets that a draft names exist is decided where
//! it is added, by [`routes`](crate::routes) and [`tls`](crate::tls).

pub(crate) mod ingress;

use std::sync::Arc;

use model::{HostMatch, ObjectRef, Origin, PathMatch};

use crate::policy::RouteSettings;
use crate::reference::Reference;
use crate::tls::{Basis, NamedSecret};

/// What an object asks to have served.
pub(crate) struct Draft {
    /// The object.
    pub(crate) object: Arc<ObjectRef>,
    /// When it was created, in seconds since 1970; if that is not known, the youngest.
    pub(crate) created: i64,
    /// The hosts that it names, even where none of their routes can be served: no less specific host gets their requests.
    pub(crate) hosts: Vec<HostMatch>,
    /// Its routes, in the order in which they are written.
    pub(crate) routes: Vec<RouteDraft>,
    /// What it says of certificates.
    pub(crate) certificates: Certificates,
    /// What it asks for its routes.
    pub(crate) asked: RouteSettings,
}

/// A route whose backend is named and not yet looked for, and whose policy is not built.
pub(crate) struct RouteDraft {
    pub(crate) serves: Serves,
    /// What it leads to.
    pub(crate) backend: Reference,
    /// The field that says so.
    pub(crate) backend_field: String,
    pub(crate) origin: Origin,
}

/// The requests that a route is for.
pub(crate) enum Serves {
    /// Those for this host and path.
    Path(HostMatch, PathMatch),
    /// Those for these hosts that no rule matches and, if `catch_all`, those that nothing else serves.
    Rest { hosts: Vec<HostMatch>, catch_all: bool },
}

impl RouteDraft {
    /// The same for each of its hosts, which may differ in what applies to them.
    pub(crate) fn for_each_host(self) -> Vec<RouteDraft> {
        let Serves::Rest { hosts, catch_all } = &self.serves else { return vec![self] };
        if hosts.len() + usize::from(*catch_all) <= 1 {
            return vec![self];
        }
        let one = |hosts, catch_all| RouteDraft {
            serves: Serves::Rest { hosts, catch_all },
            backend: self.backend.clone(),
            backend_field: self.backend_field.clone(),
            origin: self.origin.clone(),
        };
        let rest = catch_all.then(|| one(Vec::new(), true));
        hosts.iter().map(|host| one(vec![host.clone()], false)).chain(rest).collect()
    }
}

impl Serves {
    /// Whether they are all of a host that has a name.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Serves::Path(host, path) => *host != HostMatch::Any && path.is_root(),
            Serves::Rest { hosts, .. } => hosts.iter().any(|host| *host != HostMatch::Any),
        }
    }

    /// The host, if it is one.
    pub(crate) fn host(&self) -> Option<&HostMatch> {
        match self {
            Serves::Path(host, _) => Some(host),
            Serves::Rest { hosts, .. } => hosts.first(),
        }
    }
}

/// What an object says of certificates.
#[derive(Default)]
pub(crate) struct Certificates {
    /// Whether it says anything: then its hosts have a certificate, if only the default one.
    pub(crate) is_asked: bool,
    /// The Secrets that it names.
    pub(crate) secrets: Vec<NamedSecret>,
    /// Where the certificate of each host may come from. One that claims [`HostMatch::Any`] is for the names that its
    /// certificates have themselves.
    pub(crate) claims: Vec<(HostMatch, Basis, Vec<NamedSecret>)>,
}
