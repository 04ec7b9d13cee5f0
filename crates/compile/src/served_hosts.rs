//! Which hosts have routes, and from where their clients come: what DNS is to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{FrontendScheme, HostMatch, ObjectRef, Origin, RouteTable};

use crate::conflict;
use crate::policy::SchemeSaid;
use crate::problems::{Fault, Problems};
use crate::reasons;

/// A host that has a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedHost {
    /// The host: a name, or a wildcard.
    pub host: HostMatch,
    /// From where its clients come.
    pub scheme: HostScheme,
    /// The Ingress that says so or, where none does, one that has the host.
    pub object: Arc<ObjectRef>,
}

/// From where the clients of a host come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostScheme {
    /// From here.
    Known(FrontendScheme),
    /// No Ingress says it.
    Unsaid,
    /// It is said in words that cannot be read.
    Unreadable,
}

/// What each object said, if it said anything.
#[derive(Default)]
pub(crate) struct Schemes(BTreeMap<Arc<ObjectRef>, SchemeSaid>);

impl Schemes {
    pub(crate) fn add(&mut self, object: &Arc<ObjectRef>, said: SchemeSaid) {
        if said != SchemeSaid::Nothing {
            self.0.insert(Arc::clone(object), said);
        }
    }

    /// The hosts of a table, sorted. Of Ingresses that say different things of a host the oldest is believed.
    pub(crate) fn hosts(&self, table: &RouteTable, problems: &mut Problems) -> Arc<Vec<ServedHost>> {
        let mut by_host = BTreeMap::<&HostMatch, Vec<&Origin>>::new();
        for route in table.routes().iter().filter(|route| route.host != HostMatch::Any) {
            let origins = by_host.entry(&route.host).or_default();
            if !origins.iter().any(|origin| origin.object == route.origin.object) {
                origins.push(&route.origin);
            }
        }
        Arc::new(by_host.into_iter().map(|(host, origins)| self.host(host, origins, problems)).collect())
    }

    fn host(&self, host: &HostMatch, mut origins: Vec<&Origin>, problems: &mut Problems) -> ServedHost {
        origins.sort_by(|one, other| one.precedence(other));
        let said = |origin: &Origin| self.0.get(&origin.object).copied().unwrap_or_default();
        let mut telling = origins.iter().filter_map(|origin| Some((*origin, said(origin).scheme()?)));
        let served = |scheme, origin: &Origin| ServedHost {
            host: host.clone(),
            scheme,
            object: Arc::clone(&origin.object),
        };
        if let Some((first, scheme)) = telling.next() {
            for (other, _) in telling.filter(|(_, other)| *other != scheme) {
                tell_conflict(host, scheme, first, other, problems);
            }
            return served(HostScheme::Known(scheme), first);
        }
        let unreadable = origins.iter().find(|origin| said(origin) == SchemeSaid::Unreadable);
        match unreadable {
            Some(origin) => served(HostScheme::Unreadable, origin),
            None => served(HostScheme::Unsaid, origins[0]),
        }
    }
}

fn tell_conflict(
    host: &HostMatch,
    scheme: FrontendScheme,
    won: &Origin,
    lost: &Origin,
    problems: &mut Problems,
) {
    let message = format!(
        "DNS leads {host} to scheme {scheme}, as Ingress {}/{} says, {}",
        won.object.namespace,
        won.object.name,
        conflict::precedence(won, lost)
    );
    let remedy = "let all Ingresses of a host have the same frontend-scheme, or only one of them any";
    problems.add(
        ObjectRef::clone(&lost.object),
        "metadata.annotations",
        Fault::warning(reasons::CONFLICT, message, remedy),
    );
}
