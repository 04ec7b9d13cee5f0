//! The ConfigMaps that are wanted, each followed by a task of its own: of those of a cluster, which may be many and large, few
//! concern us.

use std::collections::BTreeSet;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

use super::Follow;
use super::followed::Followed;
use super::means::Means;
use super::secrets::Secrets;
use crate::cluster::change::{Change, Changes};
use crate::cluster::proof::Store;
use crate::cluster::readable::Readable;

/// The ConfigMaps that are followed.
pub(crate) struct NamedConfigMaps {
    client: Client,
    store: Store,
    changes: Changes,
    means: Means,
    followed: Followed,
}

impl NamedConfigMaps {
    /// Follows none yet. One that is deleted counts as still there for as long as a Secret does.
    pub(in crate::cluster) fn new(
        client: Client,
        store: Store,
        changes: Changes,
        secrets: &Secrets,
    ) -> NamedConfigMaps {
        let means = Means::of_watched(secrets.grace_period);
        NamedConfigMaps { client, store, changes, means, followed: Followed::default() }
    }

    /// Follows exactly these.
    pub(crate) fn want(&mut self, config_maps: &BTreeSet<ObjectKey>) {
        let NamedConfigMaps { client, store, changes, means, followed } = self;
        followed.keep(config_maps);
        followed.add(config_maps, |key| {
            let api = Api::<Readable<ConfigMap>>::namespaced(client.clone(), &key.namespace);
            let (store, means, changes) = (store.clone(), means.clone(), changes.clone());
            let name = key.name.clone();
            let told = move |answer| Some(Change::ConfigMap(key.clone(), answer));
            Follow { api, name, store, means, changes, told }.run()
        });
    }
}
