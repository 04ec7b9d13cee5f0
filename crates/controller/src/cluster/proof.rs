//! Whether an object that is missing from a list has been deleted.
//!
//! A list proves nothing: it may come from a proxy or an API server that is wrong, or from a store that was emptied or
//! restored. An object is let go if the API server, asked for it by name, says that it does not exist, and its store
//! is still the one the object was seen in.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use compile::ObjectKey;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};

use super::Watched;
use super::error;
use super::readable::Readable;

/// Requests for missing objects that are under way at once.
const LOOKS_AT_ONCE: usize = 16;
/// How long one of them may take.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);
/// More missing objects than this are kept until the next look: a look at all 5 000 would hold up the watch.
const LOOKS_MAX: usize = 1_000;

/// The namespace that every cluster has from its beginning to its end; its UID is the cluster's.
const OLDEST_NAMESPACE: &str = "kube-system";

/// The cluster's store, told from another by the UID of its oldest namespace.
#[derive(Clone)]
pub(super) struct Store {
    client: Client,
    uid: Arc<OnceLock<Option<String>>>,
}

impl Store {
    pub(super) fn new(client: Client) -> Store {
        Store { client, uid: Arc::default() }
    }

    /// Remembers which store this is. Where that may not be read, any store is taken for the same.
    pub(super) async fn learn(&self) {
        if self.uid.get().is_none()
            && let Ok(uid) = self.ask().await
        {
            let _ = self.uid.set(uid);
        }
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        match tokio::time::timeout(LOOK_TIME_MAX, namespaces.get_metadata(OLDEST_NAMESPACE)).await {
            Ok(Ok(namespace)) => Ok(namespace.metadata.uid),
            Ok(Err(error)) if error::is_refused(&error) => Ok(None),
            Ok(Err(error)) => Err(error::text(&error)),
            Err(_) => Err(format!("no answer within {LOOK_TIME_MAX:?}")),
        }
    }

    async fn is_the_same(&self) -> Result<(), String> {
        let now = self.ask().await?;
        match self.uid.get() {
            Some(before) if *before != now => Err(format!(
                "namespace {OLDEST_NAMESPACE} has another UID than before, so this is another cluster or its store \
                 was emptied; start anew to follow it"
            )),
            _ => Ok(()),
        }
    }

    /// What the API server says of each: `Ok(None)` if it does not exist, `Err` why that is not known.
    pub(super) async fn look_for<K>(
        &self,
        missing: BTreeSet<ObjectKey>,
    ) -> Vec<(ObjectKey, Result<Option<Readable<K>>, String>)>
    where
        K: Watched,
    {
        if let Err(why) = self.is_the_same().await {
            return missing.into_iter().map(|key| (key, Err(why.clone()))).collect();
        }
        let look = |(at, key): (usize, ObjectKey)| async move {
            let found = if at < LOOKS_MAX { self.look(&key).await } else { Err("not looked at yet".into()) };
            (key, found)
        };
        futures_util::stream::iter(missing.into_iter().enumerate())
            .map(look)
            .buffered(LOOKS_AT_ONCE)
            .collect()
            .await
    }

    async fn look<K>(&self, key: &ObjectKey) -> Result<Option<Readable<K>>, String>
    where
        K: Watched,
    {
        // The watch may be of all namespaces; an object is asked for in its own.
        let path = K::url_path(&(), (!key.namespace.is_empty()).then_some(key.namespace.as_str()));
        let request = http::Request::get(format!("{path}/{}", key.name)).body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        match tokio::time::timeout(LOOK_TIME_MAX, self.client.request(request)).await {
            Ok(Ok(object)) => Ok(Some(object)),
            Ok(Err(error)) if error::is_not_found(&error) => Ok(None),
            Ok(Err(error)) => Err(error::text(&error)),
            Err(_) => Err(format!("no answer within {LOOK_TIME_MAX:?}")),
        }
    }
}
