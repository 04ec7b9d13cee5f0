//! The Secrets that are wanted, each followed by a task of its own.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::watch;

use super::Follow;
use super::followed::Followed;
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
    followed: Followed,
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
        NamedSecrets { client, store, changes, means, rights, followed: Followed::default() }
    }

    /// Follows exactly these.
    pub(crate) fn want(&mut self, secrets: &BTreeSet<ObjectKey>) {
        self.followed.keep(secrets);
        self.want_also(secrets);
    }

    /// Follows these too.
    pub(crate) fn want_also(&mut self, secrets: &BTreeSet<ObjectKey>) {
        let NamedSecrets { client, store, changes, means, rights, followed } = self;
        followed.add(secrets, |key| {
            let api = Api::<Readable<Secret>>::namespaced(client.clone(), &key.namespace);
            let means = means.with(rights.of(&key.namespace));
            let (store, changes, name) = (store.clone(), changes.clone(), key.name.clone());
            let told = move |answer| Some(Change::Secret(key.clone(), answer));
            Follow { api, name, store, means, changes, told }.run()
        });
        means.followed.store(followed.count(), Ordering::Relaxed);
        means.stats.followed(followed.count());
    }
}
