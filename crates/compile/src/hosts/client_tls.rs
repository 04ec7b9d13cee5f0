//! What is demanded of clients' certificates, for the whole of each host.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ClientTls, HostMatch, ObjectRef};

use crate::policy;
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::source::Draft;

/// What is demanded for each host, by the oldest object that demands anything.
#[derive(Debug, Default)]
pub(super) struct Demands(BTreeMap<HostMatch, Demand>);

/// What an object demands of clients' certificates.
#[derive(Clone, Debug)]
struct Demand {
    object: Arc<ObjectRef>,
    client_tls: Arc<ClientTls>,
}

impl Demands {
    /// Adds what an object demands of the clients of its hosts, the first one first. One without rules serves any.
    pub(super) fn read(&mut self, draft: &Draft) {
        let Some(client_tls) = policy::client_tls(&draft.asked) else { return };
        let demand = Demand { object: Arc::clone(&draft.object), client_tls: Arc::new(client_tls) };
        for host in names(draft) {
            self.0.entry(host.clone()).or_insert_with(|| demand.clone());
        }
    }

    /// Tells an object that others of its hosts demand something of its clients.
    pub(super) fn tell(&self, draft: &Draft, problems: &mut Problems) {
        let own = policy::client_tls(&draft.asked);
        let others = names(draft).filter_map(|host| Some((host, self.0.get(host)?)));
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

    /// What is demanded for this one.
    pub(super) fn of(&self, host: &HostMatch) -> Option<&Arc<ClientTls>> {
        self.0.get(host).map(|demand| &demand.client_tls)
    }
}

/// The hosts that an object's routes are for.
fn names(draft: &Draft) -> impl Iterator<Item = &HostMatch> {
    let any = draft.hosts.is_empty().then_some(&HostMatch::Any);
    draft.hosts.iter().chain(any)
}
