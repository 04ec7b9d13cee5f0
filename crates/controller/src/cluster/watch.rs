//! All objects of one kind, followed for ever: listed, watched, listed anew when the API server has forgotten where we
//! were.
//!
//! What is gone from a new list is not taken for deleted before that is proven (`proof.rs`): the watch that would have
//! told of the deletion is the one that was lost.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::{Duration, Instant};

use compile::ObjectKey;
use futures_util::{Stream, StreamExt};
use kube::core::{Expression, SelectorExt as _};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use tokio::sync::watch;

use super::error;
use super::health::Health;
use super::labels;
use super::proof::{Identity, Store};
use super::readable::Readable;
use super::{Backoff, Changes, Part, WATCH_SECONDS, Watched};
use crate::wait::until;

/// What is missing and could not be proven to be deleted is looked for again this often.
const PROVE_AGAIN_EVERY: Duration = Duration::from_secs(5);

/// What need not be read and may not be is asked for this often: the right to may be given later.
const FORBIDDEN_ASKED_EVERY: Duration = Duration::from_secs(10);

/// What was seen of an object.
pub(super) enum Seen<K> {
    Applied(K),
    Deleted(ObjectKey),
    Unreadable(ObjectKey, String),
}

/// What is watched, and where it is told.
pub(super) struct KindWatch<K> {
    /// All namespaces, or one.
    pub(super) api: Api<Readable<K>>,
    pub(super) labels: Option<String>,
    pub(super) store: Store,
    pub(super) part: Part,
    /// Whether it counts as known, and as empty, where it may not be read.
    pub(super) optional: bool,
    pub(super) changes: Changes,
    pub(super) told: fn(Seen<K>) -> super::Change,
}

/// The objects a watch has seen.
#[derive(Default)]
struct Known {
    keys: BTreeSet<ObjectKey>,
    /// Those that the list that is being read has named so far.
    listed: Option<BTreeSet<ObjectKey>>,
    /// Those that are gone from the last list without proof.
    missing: BTreeSet<ObjectKey>,
    synced: bool,
    /// The store that was listed last.
    store: Option<Identity>,
}

type Events<K> = Pin<Box<dyn Stream<Item = watcher::Result<Event<Readable<K>>>> + Send>>;

/// How far it is.
struct Progress<K> {
    known: Known,
    events: Events<K>,
    health: Health,
    backoff: Backoff,
    /// When what is missing is looked at.
    prove_at: Option<Instant>,
    identity: watch::Receiver<Option<Identity>>,
}

impl<K: Watched> KindWatch<K> {
    /// Follows until it is dropped.
    pub(super) async fn run(self) {
        let mut now = Progress {
            known: Known::default(),
            events: self.events(),
            health: Health::new(self.part.clone(), self.changes.clone()),
            backoff: Backoff::default(),
            prove_at: None,
            identity: self.store.subscribe(),
        };
        loop {
            tokio::select! {
                event = now.events.next() => match event {
                    Some(Ok(event)) => self.heard(event, &mut now).await,
                    Some(Err(error)) => self.failed(&error, &mut now).await,
                    None => now.events = self.events(),
                },
                () = until(now.prove_at) => {
                    let kept = self.prove(&mut now.known).await;
                    now.health.keeping(kept).await;
                    let missing = !now.known.missing.is_empty();
                    now.prove_at = missing.then(|| Instant::now() + PROVE_AGAIN_EVERY);
                }
                Ok(()) = now.identity.changed() => self.compare(&mut now),
                () = now.health.quiet() => {
                    now.backoff.reset();
                    now.health.working().await;
                }
            }
        }
    }

    async fn heard(&self, event: Event<Readable<K>>, now: &mut Progress<K>) {
        // `Init` only announces a list that is about to be asked for. Where lists are answered and watches are not, the
        // pace of watches is what is left (`pace.rs`).
        if !matches!(event, Event::Init) {
            now.backoff.reset();
            now.health.working().await;
        }
        if self.take(event, &mut now.known).await {
            now.prove_at = Some(Instant::now());
        }
    }

    async fn failed(&self, error: &watcher::Error, now: &mut Progress<K>) {
        if self.optional && error::is_forbidden(error) && now.known.keys.is_empty() {
            // That needs no mending, so it is no problem and no reason to ask every second.
            self.synced(&mut now.known).await;
            tokio::time::sleep(FORBIDDEN_ASKED_EVERY).await;
            return;
        }
        now.health.failing(error::text(error), error::remedy_of_watch(error)).await;
        if error::has_lost_its_place(error) {
            now.events = self.events();
        }
        tokio::time::sleep(now.backoff.next()).await;
    }

    /// Begins anew if the store is not the one that was listed.
    fn compare(&self, now: &mut Progress<K>) {
        let last = now.identity.borrow_and_update().clone();
        if now.known.synced && now.known.store != last {
            tracing::warn!(kind = %self.part, "this is another cluster, or its store was emptied");
            now.known.store = last;
            now.events = self.events();
        }
    }

    fn events(&self) -> Events<K> {
        let config = watcher::Config::default().timeout(fastrand::u32(WATCH_SECONDS));
        let config = self.labels.iter().fold(config, |config, labels| config.labels(labels));
        watcher::watcher(self.api.clone(), config).boxed()
    }

    /// Tells of an event; returns whether it ended a list.
    async fn take(&self, event: Event<Readable<K>>, known: &mut Known) -> bool {
        match event {
            Event::Init => known.listed = Some(BTreeSet::new()),
            Event::InitApply(object) => {
                let key = key(&object);
                known.listed.get_or_insert_default().insert(key.clone());
                self.applied(key, object, known).await;
            }
            Event::Apply(object) => self.applied(key(&object), object, known).await,
            Event::Delete(object) => self.deleted(key(&object), known).await,
            Event::InitDone => {
                let listed = known.listed.take().unwrap_or_default();
                known.missing = known.keys.difference(&listed).cloned().collect();
                if !known.missing.is_empty() {
                    let objects = known.missing.len();
                    tracing::info!(kind = %self.part, objects, "gone from the list; looking at each before it is let go");
                }
                if !known.synced {
                    known.store = self.store.known().await;
                }
                self.synced(known).await;
                return true;
            }
        }
        false
    }

    async fn applied(&self, key: ObjectKey, object: Readable<K>, known: &mut Known) {
        known.missing.remove(&key);
        known.keys.insert(key.clone());
        let seen = match object {
            Readable::Object(mut object) => {
                // Only the watch needs it, and with it each object would differ from itself.
                object.meta_mut().resource_version = None;
                Seen::Applied(object)
            }
            Readable::Unreadable { why, .. } => Seen::Unreadable(key, why),
        };
        self.changes.send((self.told)(seen)).await;
    }

    async fn deleted(&self, key: ObjectKey, known: &mut Known) {
        known.missing.remove(&key);
        known.keys.remove(&key);
        self.changes.send((self.told)(Seen::Deleted(key))).await;
    }

    async fn synced(&self, known: &mut Known) {
        if !known.synced {
            known.synced = true;
            self.changes.send(super::Change::Synced(self.part.clone())).await;
        }
    }

    /// Looks at each object that is missing from the last list: it is deleted only if the API server says so of it.
    /// Returns what is kept without that, and why.
    async fn prove(&self, known: &mut Known) -> Option<String> {
        let missing = std::mem::take(&mut known.missing);
        if missing.is_empty() {
            return None;
        }
        let mut kept = None;
        for (key, proof) in self.store.look_for(missing).await {
            match proof {
                Ok(Some(object)) if self.selects(&object) => self.applied(key, object, known).await,
                Ok(_) => self.deleted(key, known).await,
                Err(why) => {
                    kept.get_or_insert_with(|| {
                        format!("{key} and others that its list is without are kept: {why}")
                    });
                    known.missing.insert(key);
                }
            }
        }
        kept
    }

    /// Whether it has the labels. Labels that cannot be read here were read by the API server.
    fn selects(&self, object: &Readable<K>) -> bool {
        let Some(expressions) = self.labels.as_deref().and_then(labels::parse) else { return true };
        let Readable::Object(object) = object else { return true };
        let labels = object.meta().labels.clone().unwrap_or_default();
        expressions.iter().all(|expression: &Expression| expression.matches(&labels))
    }
}

/// The name of an object that was read.
fn key(object: &impl Resource) -> ObjectKey {
    let metadata = object.meta();
    ObjectKey::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}
