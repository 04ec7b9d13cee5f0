//! The Secrets that are wanted, each followed by a task of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Follow;
use super::means::Means;
use super::rights::Rights;
use crate::cluster::change::{Change, Changes};
use crate::cluster::proof::Store;
use crate::cluster::readable::Readable;

/// How Secrets are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// How often each is read again where they may not be watched, more or less.
    pub read_interval: Duration,
    /// How long one that was deleted counts as still there: what replaces it may be about to be made.
    pub grace_period: Duration,
}

impl Default for Secrets {
    /// A certificate is renewed days before its end, so half a minute is soon; a replacement that deletes and creates
    /// does both within some seconds.
    fn default() -> Secrets {
        Secrets { read_interval: Duration::from_secs(30), grace_period: Duration::from_secs(10) }
    }
}

/// The Secrets that are followed.
pub(crate) struct NamedSecrets {
    client: Client,
    store: Store,
    changes: Changes,
    means: Means,
    rights: Rights,
    wanted: BTreeMap<ObjectKey, tokio::task::AbortHandle>,
    tasks: JoinSet<()>,
}

impl NamedSecrets {
    /// Follows none yet. With `each_namespace` the right to watch them may differ from one to the next.
    pub(in crate::cluster) fn new(
        client: Client,
        store: Store,
        changes: Changes,
        secrets: &Secrets,
        each_namespace: bool,
    ) -> NamedSecrets {
        let (_, unknown) = watch::channel(None);
        let means = Means::new(secrets, unknown, changes.stats().secrets());
        let rights = Rights::new(client.clone(), each_namespace);
        let (wanted, tasks) = (BTreeMap::new(), JoinSet::new());
        NamedSecrets { client, store, changes, means, rights, wanted, tasks }
    }

    /// Follows exactly these.
    pub(crate) fn want(&mut self, secrets: &BTreeSet<ObjectKey>) {
        self.wanted.retain(|key, task| {
            let keep = secrets.contains(key);
            if !keep {
                task.abort();
            }
            keep
        });
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        self.want_also(secrets);
    }

    /// Follows these too.
    pub(crate) fn want_also(&mut self, secrets: &BTreeSet<ObjectKey>) {
        for key in secrets {
            if !self.wanted.contains_key(key) {
                let task = self.follow(key.clone());
                self.wanted.insert(key.clone(), task);
            }
        }
        self.means.followed.store(self.wanted.len(), Ordering::Relaxed);
        self.means.stats.followed(self.wanted.len());
    }

    fn follow(&mut self, key: ObjectKey) -> tokio::task::AbortHandle {
        let api = Api::<Readable<Secret>>::namespaced(self.client.clone(), &key.namespace);
        let means = self.means.with(self.rights.of(&key.namespace));
        let (changes, name) = (self.changes.clone(), key.name.clone());
        let store = self.store.clone();
        let told = move |answer| Some(Change::Secret(key.clone(), answer));
        self.tasks.spawn(Follow { api, name, store, means, changes, told }.run())
    }
}
