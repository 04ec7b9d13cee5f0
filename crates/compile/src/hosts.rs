//! What the objects that name one host decide together, and no object by itself: nginx has one server for a host, and what one
//! Ingress asks for its server holds for the routes of all.
//!
//! Read from all drafts before any of them becomes routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{ClientTls, HostMatch, ObjectRef};

use crate::policy;
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::source::Draft;

/// What is known of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Those that have a certificate, if only the default one.
    tls: BTreeSet<HostMatch>,
    /// What is demanded of clients' certificates, and by which object: the oldest that demands anything.
    client_tls: BTreeMap<HostMatch, Demand>,
}

/// What an object demands of clients' certificates.
#[derive(Clone, Debug)]
struct Demand {
    created: i64,
    object: Arc<ObjectRef>,
    client_tls: Arc<ClientTls>,
}

/// What is known of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostFacts<'h> {
    /// Whether its clients can be sent to https.
    pub(crate) has_tls: bool,
    /// What is demanded of its clients' certificates.
    pub(crate) client_tls: Option<&'h Arc<ClientTls>>,
}

impl Hosts {
    /// Reads all drafts.
    pub(crate) fn read<'d>(drafts: impl IntoIterator<Item = &'d Draft>) -> Hosts {
        let mut hosts = Hosts::default();
        for draft in drafts {
            if draft.certificates.is_asked {
                hosts.tls.extend(draft.hosts.iter().cloned());
            }
            hosts.demand(draft);
        }
        hosts
    }

    /// Adds what an object demands of the clients of its hosts. One without rules serves any.
    fn demand(&mut self, draft: &Draft) {
        let Some(client_tls) = policy::client_tls(&draft.asked) else { return };
        let demand = Demand {
            created: draft.created,
            object: Arc::clone(&draft.object),
            client_tls: Arc::new(client_tls),
        };
        for host in names(draft) {
            let known = self.client_tls.entry(host.clone()).or_insert_with(|| demand.clone());
            if demand.rank() < known.rank() {
                *known = demand.clone();
            }
        }
    }

    /// Tells an object that others of its hosts demand something of its clients.
    pub(crate) fn tell(&self, draft: &Draft, problems: &mut Problems) {
        let own = policy::client_tls(&draft.asked);
        let others = names(draft).filter_map(|host| Some((host, self.client_tls.get(host)?)));
        for (host, Demand { object, client_tls, .. }) in others.filter(|(_, it)| it.object != draft.object) {
            if own.as_ref() == Some(&**client_tls) {
                continue;
            }
            let whose = format!("Ingress {}/{}", object.namespace, object.name);
            let message = format!(
                "the clients of {host} have to show certificates as {whose} demands it of all routes"
            );
            let remedy = "move one of them to a host of its own, or let both demand the same";
            problems.add(
                ObjectRef::clone(&draft.object),
                "",
                Fault::warning(reasons::CONFLICT, message, remedy),
            );
        }
    }

    /// What is known of this one. One that has no certificate by itself uses that of the wildcard above it.
    pub(crate) fn of(&self, host: &HostMatch) -> HostFacts<'_> {
        let wildcard = || match host {
            HostMatch::Exact(name) => name.parent().map(HostMatch::Wildcard),
            HostMatch::Wildcard(_) | HostMatch::Any => None,
        };
        HostFacts {
            has_tls: self.tls.contains(host) || wildcard().is_some_and(|above| self.tls.contains(&above)),
            client_tls: self.client_tls.get(host).map(|demand| &demand.client_tls),
        }
    }
}

impl Demand {
    /// The oldest object first, then by namespace and name.
    fn rank(&self) -> (i64, &ObjectRef) {
        (self.created, &self.object)
    }
}

/// The hosts that an object's routes are for.
fn names(draft: &Draft) -> impl Iterator<Item = &HostMatch> {
    let any = draft.hosts.is_empty().then_some(&HostMatch::Any);
    draft.hosts.iter().chain(any)
}
