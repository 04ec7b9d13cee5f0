//! The cluster as a source: what its API server knows, as changes of the index.
//!
//! Owns: the connection to the API server, one watch for each kind (and namespace), the objects that are only asked for
//! by name, and what counts as proof that an object is gone.
//! Never: what an object means; that is [`compile`]'s.
//! Start at [`Watches::start`]; what comes of it arrives as [`Change`]s.

mod change;

mod connect;
mod pace;

mod kind;
mod watch;

mod labels;
mod readable;

mod health;
mod proof;

mod named;

mod error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compile::ObjectKey;
use k8s_openapi::Resource as _;
use k8s_openapi::api::core::v1::{Namespace, Node, Service};
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub(crate) use change::{Change, Part};
pub use connect::ConnectError;
pub(crate) use connect::{Connection, connect};
pub use labels::labels;
pub use named::Secrets;
pub(crate) use named::{Answer, NamedConfigMaps, NamedSecrets};

use crate::kinds::{Indexed, Kind, Scope as _, WatchKind};
use crate::own_pod::OwnPod;
use crate::stats::Stats;
use crate::wait::{doubled, jittered};
use change::Changes;
use kind::{Watched, indexed, namespace};
use named::{Follow, Means};
use proof::Store;
use readable::Readable;
use watch::{KindWatch, Seen};

/// The server ends a watch after this many seconds, and it is begun again where it was: so a connection that is dead
/// without a word is noticed.
const WATCH_SECONDS: std::ops::Range<u32> = 30..40;

/// Changes that wait to be applied; more hold up the watches, not the memory.
const CHANGES_MAX: usize = 1024;

/// Which cluster is watched, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The file that names the API server and our credentials; without it, those of the pod we run in.
    pub kubeconfig: Option<PathBuf>,
    /// The namespaces from which objects are read.
    pub namespaces: Namespaces,
    /// The node we run on.
    pub node: Option<String>,
    /// The pod we run in, to be looked at.
    pub pod: Option<OwnPod>,
    /// How Secrets are followed.
    pub secrets: Secrets,
    /// What is written into the cluster.
    pub report: crate::report::Report,
}

/// The namespaces from which objects are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// All of them.
    #[default]
    All,
    /// Only these: no right to read anything elsewhere is needed.
    Named(Vec<String>),
    /// The Ingresses of namespaces with these labels, and what all namespaces have beside.
    Labelled(String),
}

/// All that is watched, and what comes of it. Dropped, it watches nothing.
pub(crate) struct Watches {
    client: Client,
    store: Store,
    sender: Changes,
    changes: mpsc::Receiver<Change>,
    tasks: JoinSet<()>,
    parts: Vec<Part>,
}

impl Watches {
    /// Watches what `cluster` says.
    pub(crate) fn start(client: Client, cluster: &Cluster, stats: Arc<Stats>) -> Watches {
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        let sender = Changes { sender, stats };
        let store = Store::new(client.clone());
        let mut watches =
            Watches { client, store, sender, changes, tasks: JoinSet::new(), parts: Vec::new() };
        watches.tasks.spawn(watches.store.clone().follow());
        for kind in Kind::ALL {
            kind.watch(&mut InNamespaces { watches: &mut watches, namespaces: &cluster.namespaces });
        }
        if let Namespaces::Labelled(labels) = &cluster.namespaces {
            let (api, part) = (Api::all(watches.client.clone()), Part::of_cluster(Namespace::KIND));
            watches.watch(api, part, Some(labels), false, namespace);
        }
        watches.follow_node(cluster.node.as_deref());
        watches.follow_publish_service(cluster.report.publish_service());
        watches
    }

    fn watch_indexed<K: Indexed>(&mut self, namespace: Option<&str>, optional: bool) {
        let api = K::Scope::api(self.client.clone(), namespace);
        let part = Part { kind: K::KIND.as_str(), namespace: namespace.map(str::to_owned) };
        self.watch(api, part, None, optional, indexed::<K>);
    }

    fn watch<K: Watched>(
        &mut self,
        api: Api<Readable<K>>,
        part: Part,
        labels: Option<&str>,
        optional: bool,
        told: fn(Seen<K>) -> Change,
    ) {
        self.parts.push(part.clone());
        let (store, changes, labels) = (self.store.clone(), self.sender.clone(), labels.map(str::to_owned));
        self.tasks.spawn(KindWatch { api, labels, store, part, optional, changes, told }.run());
    }

    fn follow_node(&mut self, name: Option<&str>) {
        let Some(name) = name else { return };
        let api = Api::<Readable<Node>>::all(self.client.clone());
        let remedy = "name the node that this process runs on with --node-name";
        self.follow(api, Part::of_cluster(Node::KIND), name, remedy, Change::Node);
    }

    fn follow_publish_service(&mut self, service: Option<&ObjectKey>) {
        let Some(ObjectKey { namespace, name }) = service else { return };
        let api = Api::<Readable<Service>>::namespaced(self.client.clone(), namespace);
        let part = Part { kind: Service::KIND, namespace: Some(namespace.clone()) };
        let remedy = "create it, or name another with --publish-service; until then no status is written";
        self.follow(api, part, name, remedy, |part, service| {
            Change::PublishService(part, named::addresses(&service))
        });
    }

    /// Follows one object, and tells if there is none; there are few of these, so each may watch.
    fn follow<K: Watched>(
        &mut self,
        api: Api<Readable<K>>,
        part: Part,
        name: &str,
        remedy: &'static str,
        found: fn(Part, Arc<K>) -> Change,
    ) {
        let failing = |part: &Part, why, remedy| Some(Change::Failing(part.clone(), why, remedy));
        let shown = name.to_owned();
        let told = move |answer| match answer {
            Answer::Found(object) => Some(found(part.clone(), object)),
            Answer::Absent => failing(&part, format!("{shown} does not exist"), remedy),
            Answer::Unknown(why, remedy) => failing(&part, format!("{shown}: {why}"), remedy),
        };
        let (means, changes, name) = (Means::of_one(), self.sender.clone(), name.to_owned());
        let store = self.store.clone();
        self.tasks.spawn(Follow { api, name, store, means, changes, told }.run());
    }

    /// Follows Secrets by name, as they are wanted.
    pub(crate) fn secrets(&self, cluster: &Cluster) -> NamedSecrets {
        let (client, store, changes) = (self.client.clone(), self.store.clone(), self.sender.clone());
        let each_namespace = matches!(cluster.namespaces, Namespaces::Named(_));
        NamedSecrets::new(client, store, changes, &cluster.secrets, each_namespace)
    }

    /// Follows ConfigMaps by name, as they are wanted.
    pub(crate) fn config_maps(&self, cluster: &Cluster) -> NamedConfigMaps {
        let (client, store, changes) = (self.client.clone(), self.store.clone(), self.sender.clone());
        NamedConfigMaps::new(client, store, changes, &cluster.secrets)
    }

    /// What has to be synced before the index is whole.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The next change. Can be dropped and called again at any time.
    pub(crate) async fn changed(&mut self) -> Change {
        tokio::select! {
            // The sender that is kept here never closes it.
            Some(change) = self.changes.recv() => change,
            Some(Err(error)) = self.tasks.join_next() => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, and this task with it.
                Err(_) => std::future::pending().await,
            },
            else => std::future::pending().await,
        }
    }

    /// A change that is already here.
    pub(crate) fn try_changed(&mut self) -> Option<Change> {
        self.changes.try_recv().ok()
    }
}

/// The watches that are begun, and of how much.
struct InNamespaces<'a> {
    watches: &'a mut Watches,
    namespaces: &'a Namespaces,
}

impl WatchKind for InNamespaces<'_> {
    fn watch_kind<K: Indexed>(&mut self) {
        match self.namespaces {
            Namespaces::Named(names) if K::NAMESPACED => {
                names.iter().for_each(|name| self.watches.watch_indexed::<K>(Some(name), false));
            }
            // Where only some namespaces may be read, what has none may well be forbidden.
            Namespaces::Named(_) => self.watches.watch_indexed::<K>(None, true),
            Namespaces::All | Namespaces::Labelled(_) => self.watches.watch_indexed::<K>(None, false),
        }
    }
}

/// The wait before the next try: doubled after each failure up to a second, so that an API server that is back is
/// noticed at once, and never the same for all, so that they do not all come back together.
#[derive(Default)]
struct Backoff(u32);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const MAX: Duration = Duration::from_secs(1);

    fn reset(&mut self) {
        self.0 = 0;
    }

    fn next(&mut self) -> Duration {
        let full = doubled(Self::FIRST, self.0, Self::MAX);
        self.0 = self.0.saturating_add(1);
        jittered(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_is_never_longer_than_a_second() {
        let mut backoff = Backoff::default();
        assert!(backoff.next() <= Backoff::FIRST);
        let later: Vec<Duration> = (0..50).map(|_| backoff.next()).skip(5).collect();
        assert!(
            later.iter().all(|wait| (Duration::from_millis(500)..=Duration::from_secs(1)).contains(wait))
        );
        backoff.reset();
        assert!(backoff.next() <= Backoff::FIRST);
    }
}
