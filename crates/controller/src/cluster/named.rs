//! Single objects, followed by name: Secrets that an Ingress names, our own node, the Service that status shows.
//!
//! Secrets are never listed: whoever may list them reads all of them. One is asked for by name and then watched by
//! name, which needs the verbs `get` and `watch` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use compile::ObjectKey;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use kube::api::{WatchEvent, WatchParams};
use kube::{Api, Client, Resource};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::error;
use super::readable::Readable;
use super::{Backoff, Change, Changes, Watched};

/// Secrets watched at once: each holds a connection. More are asked for every [`ASK_EVERY`].
const WATCHES_MAX: usize = 500;
const ASK_EVERY: Duration = Duration::from_secs(60);

/// As for the watches of whole kinds.
const WATCH_SECONDS: std::ops::Range<u32> = 30..40;

/// What there is to know of an object that was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Answer<K> {
    Found(Arc<K>),
    Absent,
    /// It could not be read: why, and what to do.
    Unknown(String, &'static str),
}

/// One object that is followed.
pub(super) struct Follow<K, F> {
    pub(super) api: Api<Readable<K>>,
    pub(super) name: String,
    /// Holds those that may watch at once.
    pub(super) permits: Arc<Semaphore>,
    pub(super) changes: Changes,
    /// What of it is a change.
    pub(super) told: F,
}

impl<K: Watched, F: Fn(Answer<K>) -> Option<Change>> Follow<K, F> {
    /// Follows it until dropped.
    pub(super) async fn run(self) {
        let (mut backoff, mut answered) = (Backoff::default(), false);
        loop {
            let (answer, version) = match self.api.get_opt(&self.name).await {
                Ok(found) => read(found),
                Err(error) => {
                    // What was known before stays. That it cannot be asked for is told where nothing is known, and
                    // where that is no passing trouble.
                    if !std::mem::replace(&mut answered, true) || error::is_refused(&error) {
                        self.tell(Answer::Unknown(error::text(&error), error::remedy(&error))).await;
                    }
                    tokio::time::sleep(backoff.next()).await;
                    continue;
                }
            };
            answered = true;
            self.tell(answer).await;
            match self.permits.try_acquire() {
                Ok(_held) => match self.watch(version).await {
                    Ok(()) => backoff.reset(),
                    Err(_) => tokio::time::sleep(backoff.next()).await,
                },
                Err(_) => tokio::time::sleep(ASK_EVERY).await,
            }
        }
    }

    /// Watches from a version on, or from now on if there is none, until the watch has lost its place.
    async fn watch(&self, mut version: String) -> kube::Result<()> {
        loop {
            let seconds = fastrand::u32(WATCH_SECONDS);
            let only = format!("metadata.name={}", self.name);
            let params = WatchParams::default().fields(&only).timeout(seconds);
            let mut events = pin!(self.api.watch(&params, &version).await?);
            while let Some(event) = events.next().await {
                match event? {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                        let (answer, next) = read(Some(object));
                        version = next;
                        self.tell(answer).await;
                    }
                    WatchEvent::Deleted(object) => {
                        version = object.meta().resource_version.clone().unwrap_or_default();
                        self.tell(Answer::Absent).await;
                    }
                    WatchEvent::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                    // Most likely 410, the place is lost: it is asked for anew.
                    WatchEvent::Error(_) => return Ok(()),
                }
            }
        }
    }

    async fn tell(&self, answer: Answer<K>) {
        if let Some(change) = (self.told)(answer) {
            self.changes.send(change).await;
        }
    }
}

/// What is known of the object, and the version it is known at.
fn read<K: Resource>(found: Option<Readable<K>>) -> (Answer<K>, String) {
    let version = |metadata: &mut kube::api::ObjectMeta| metadata.resource_version.take().unwrap_or_default();
    match found {
        Some(Readable::Object(mut object)) => {
            let version = version(object.meta_mut());
            (Answer::Found(Arc::new(object)), version)
        }
        Some(Readable::Unreadable { mut metadata, why }) => {
            (Answer::Unknown(why, "write the object as its kind defines it"), version(&mut metadata))
        }
        None => (Answer::Absent, String::new()),
    }
}

/// The Secrets that are wanted, each followed by a task of its own.
pub(crate) struct NamedSecrets {
    client: Client,
    changes: Changes,
    permits: Arc<Semaphore>,
    wanted: BTreeMap<ObjectKey, tokio::task::AbortHandle>,
    tasks: JoinSet<()>,
}

impl NamedSecrets {
    pub(super) fn new(client: Client, changes: Changes) -> NamedSecrets {
        let permits = Arc::new(Semaphore::new(WATCHES_MAX));
        NamedSecrets { client, changes, permits, wanted: BTreeMap::new(), tasks: JoinSet::new() }
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
        while self.tasks.try_join_next().is_some() {}
        for key in secrets {
            if !self.wanted.contains_key(key) {
                let task = self.follow(key.clone());
                self.wanted.insert(key.clone(), task);
            }
        }
    }

    fn follow(&mut self, key: ObjectKey) -> tokio::task::AbortHandle {
        let api = Api::<Readable<Secret>>::namespaced(self.client.clone(), &key.namespace);
        let (permits, changes, name) = (Arc::clone(&self.permits), self.changes.clone(), key.name.clone());
        let told = move |answer| Some(Change::Secret(key.clone(), answer));
        self.tasks.spawn(Follow { api, name, permits, changes, told }.run())
    }
}

/// Where a Service of type LoadBalancer can be reached, else its external addresses.
pub(super) fn addresses(service: &Service) -> Vec<IngressLoadBalancerIngress> {
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let reached: Vec<_> = balancer
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|at| IngressLoadBalancerIngress {
            ip: at.ip.clone(),
            hostname: at.hostname.clone(),
            ports: None,
        })
        .collect();
    if !reached.is_empty() {
        return reached;
    }
    let external = service.spec.as_ref().and_then(|spec| spec.external_ips.as_deref()).unwrap_or_default();
    let at = |ip: &String| IngressLoadBalancerIngress { ip: Some(ip.clone()), ..Default::default() };
    external.iter().map(at).collect()
}
