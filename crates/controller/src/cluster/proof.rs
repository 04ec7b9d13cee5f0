//! Whether an object that is missing from a list has been deleted.
//!
//! A list proves nothing: it may come from a proxy or an API server that is wrong, or from a store that was emptied. An
//! object is let go if the API server, asked for it by name, says that it does not exist, and its store is still the
//! one the object was seen in. (A store that was restored from its own backup is the same one; nothing here tells.)

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use compile::ObjectKey;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use tokio::sync::watch;

use super::readable::Readable;
use super::{Backoff, Watched, error};

/// How often it is asked whether the store is still the same.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Requests for missing objects that are under way at once.
const LOOKS_AT_ONCE: usize = 16;
/// How long one of them may take.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);
/// More missing objects than this are kept until the next look: a look at all 5 000 would hold up the watch.
const LOOKS_MAX: usize = 1_000;

/// The namespace that every cluster has from its beginning to its end; its UID is the cluster's.
const OLDEST_NAMESPACE: &str = "kube-system";

/// Which store it is; `None` where that may not be read.
pub(super) type Identity = Option<String>;

/// The cluster's store, told from another by the UID of its oldest namespace.
#[derive(Clone)]
pub(super) struct Store {
    client: Client,
    /// The one that everything was first read from. Learnt later, it could be another already.
    first: Arc<OnceLock<Identity>>,
    /// The one that was there last, once it is known.
    last: watch::Sender<Option<Identity>>,
}

impl Store {
    pub(super) fn new(client: Client) -> Store {
        Store { client, first: Arc::default(), last: watch::Sender::default() }
    }

    /// Asks which store it is until dropped: a watch does not notice another store, for an API server whose versions
    /// begin anew lets it wait for those it had.
    pub(super) async fn follow(self) {
        let mut backoff = Backoff::default();
        loop {
            let wait = match self.identity().await {
                Ok(identity) => {
                    self.learn(identity);
                    backoff.reset();
                    ASK_EVERY
                }
                Err(why) => {
                    tracing::debug!("the identity of the cluster is not known: {why}");
                    backoff.next()
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn learn(&self, identity: Identity) {
        let first = self.first.get_or_init(|| {
            if identity.is_none() {
                tracing::warn!(
                    "namespace {OLDEST_NAMESPACE} may not be read, so a store that was emptied looks as if all had been \
                     deleted; give the right to get it, as deploy/base does"
                );
            }
            identity.clone()
        });
        // Neither that it may be read only now nor that it may no longer be makes it another.
        if first.is_some() == identity.is_some() {
            self.last.send_if_modified(|last| last.replace(identity.clone()) != Some(identity));
        }
    }

    /// Waits until it is known which it is.
    pub(super) async fn known(&self) -> Option<Identity> {
        // It cannot be closed while this sender of it lives.
        self.last.subscribe().wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Changes when it is another one, and when it becomes known.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Identity>> {
        self.last.subscribe()
    }

    /// Which store it is now.
    async fn identity(&self) -> Result<Identity, String> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        match tokio::time::timeout(LOOK_TIME_MAX, namespaces.get_metadata(OLDEST_NAMESPACE)).await {
            Ok(Ok(namespace)) => Ok(namespace.metadata.uid),
            Ok(Err(error)) if error::is_refused(&error) => Ok(None),
            Ok(Err(error)) => Err(error::text(&error)),
            Err(_) => Err(format!("no answer within {LOOK_TIME_MAX:?}")),
        }
    }

    /// Whether it is still the first one; why not, or why that is not known. Where it could not be read from the
    /// beginning, any store is taken for the same.
    pub(super) async fn is_the_first(&self) -> Result<(), String> {
        let Some(Some(first)) = self.first.get() else { return Ok(()) };
        match self.identity().await? {
            Some(now) if now == *first => Ok(()),
            Some(_) => Err(format!(
                "namespace {OLDEST_NAMESPACE} has another UID than before, so this is another cluster or its store \
                 was emptied"
            )),
            None => Err(format!("namespace {OLDEST_NAMESPACE} may no longer be read")),
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
        if let Err(why) = self.is_the_first().await {
            return missing.into_iter().map(|key| (key, Err(why.clone()))).collect();
        }
        let hangs = &AtomicBool::new(false);
        let look = |(at, key): (usize, ObjectKey)| async move {
            let later = at >= LOOKS_MAX || hangs.load(Ordering::Relaxed);
            let found = if later { Err("not looked at yet".into()) } else { self.look(&key, hangs).await };
            (key, found)
        };
        futures_util::stream::iter(missing.into_iter().enumerate())
            .map(look)
            .buffered(LOOKS_AT_ONCE)
            .collect()
            .await
    }

    async fn look<K>(&self, key: &ObjectKey, hangs: &AtomicBool) -> Result<Option<Readable<K>>, String>
    where
        K: Watched,
    {
        // The watch may be of all namespaces; an object is asked for in its own.
        let path = K::url_path(&(), (!key.namespace.is_empty()).then_some(key.namespace.as_str()));
        let request = http::Request::get(format!("{path}/{}", key.name)).body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        match tokio::time::timeout(LOOK_TIME_MAX, self.client.request(request)).await {
            Ok(Ok(object)) => Ok(Some(object)),
            Ok(Err(error)) if error::is_not_found(&error, &key.name) => Ok(None),
            Ok(Err(error)) => Err(error::text(&error)),
            Err(_) => {
                // The others would hold up the watch for as long each.
                hangs.store(true, Ordering::Relaxed);
                Err(format!("no answer within {LOOK_TIME_MAX:?}"))
            }
        }
    }
}
