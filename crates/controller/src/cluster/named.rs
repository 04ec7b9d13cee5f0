//! Single objects, followed by name: Secrets that an Ingress names, our own node, the Service that status shows.
//!
//! Secrets are never listed: whoever may list them reads all of them. One is asked for by name and then watched by
//! name, which needs the verbs `get` and `watch` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compile::ObjectKey;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use kube::api::{WatchEvent, WatchParams};
use kube::{Api, Client, Resource};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::proof::Store;
use super::readable::Readable;
use super::{Backoff, Change, Changes, WATCH_SECONDS, Watched, error};

/// Secrets watched at once: each holds a connection. More are asked for every [`ASK_EVERY`].
const WATCHES_MAX: usize = 500;
const ASK_EVERY: Duration = Duration::from_secs(60);

/// One that may not be read is asked for this often: the right to may be given later.
const REFUSED_ASKED_EVERY: Duration = Duration::from_secs(15);

/// Objects that are asked for at once: each request that finds no free connection opens one.
const ASKS_MAX: usize = 16;

/// A watch that lasted so long is no reason to wait before the next.
const WATCH_WORKED: Duration = Duration::from_secs(5);

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
    pub(super) store: Store,
    pub(super) permits: Permits,
    pub(super) changes: Changes,
    /// What of it is a change.
    pub(super) told: F,
}

/// How many may do something at once.
#[derive(Clone)]
pub(super) struct Permits {
    ask: Arc<Semaphore>,
    watch: Arc<Semaphore>,
}

impl Default for Permits {
    fn default() -> Permits {
        Permits { ask: Arc::new(Semaphore::new(ASKS_MAX)), watch: Arc::new(Semaphore::new(WATCHES_MAX)) }
    }
}

impl<K: Watched, F: Fn(Answer<K>) -> Option<Change>> Follow<K, F> {
    /// Follows it until dropped.
    pub(super) async fn run(self) {
        let (mut backoff, mut answered, mut found) = (Backoff::default(), false, false);
        loop {
            let (answer, version) = match self.ask(found).await {
                Ok(answer) => answer,
                Err((why, remedy, lasts)) => {
                    // What was known before stays. That it cannot be asked for is told where nothing is known, and
                    // where that is no passing trouble.
                    if !std::mem::replace(&mut answered, true) || lasts {
                        self.tell(Answer::Unknown(why, remedy)).await;
                    }
                    tokio::time::sleep(if lasts { jittered(REFUSED_ASKED_EVERY) } else { backoff.next() })
                        .await;
                    continue;
                }
            };
            answered = true;
            found = !matches!(answer, Answer::Absent);
            self.tell(answer).await;
            match self.permits.watch.try_acquire() {
                Ok(_held) => {
                    let since = Instant::now();
                    // Why it ended does not matter: the next answer tells what is true.
                    let _ = self.watch(version).await;
                    if since.elapsed() > WATCH_WORKED {
                        backoff.reset();
                    }
                    tokio::time::sleep(backoff.next()).await;
                }
                Err(_) => tokio::time::sleep(jittered(ASK_EVERY)).await,
            }
        }
    }

    /// Asks for it by name. What was found before is gone only where the store is still the first: else the error says
    /// why that is not known, what to do, and whether it lasts.
    async fn ask(&self, found: bool) -> Result<(Answer<K>, String), (String, &'static str, bool)> {
        // The semaphore is never closed.
        let _held = self.permits.ask.acquire().await;
        match self.api.get(&self.name).await {
            Ok(object) => Ok(read(object)),
            Err(error) if error::is_not_found(&error, &self.name) => match self.store.is_the_first().await {
                Err(why) if found => Err((format!("it is gone and kept: {why}"), error::KEPT_REMEDY, true)),
                _ => Ok((Answer::Absent, String::new())),
            },
            Err(error) => Err((error::text(&error), error::remedy(&error), error::is_refused(&error))),
        }
    }

    /// Watches from a version on, or from now on if there is none, until the watch ends.
    async fn watch(&self, version: String) -> kube::Result<()> {
        let only = format!("metadata.name={}", self.name);
        let params = WatchParams::default().fields(&only).timeout(fastrand::u32(WATCH_SECONDS));
        let mut events = pin!(self.api.watch(&params, &version).await?);
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => self.tell(read(object).0).await,
                WatchEvent::Deleted(_) => self.tell(Answer::Absent).await,
                WatchEvent::Bookmark(_) => {}
                // Most likely 410, the place is lost.
                WatchEvent::Error(_) => break,
            }
        }
        Ok(())
    }

    async fn tell(&self, answer: Answer<K>) {
        if let Some(change) = (self.told)(answer) {
            self.changes.send(change).await;
        }
    }
}

/// What is known of the object, and the version it is known at.
fn read<K: Resource>(found: Readable<K>) -> (Answer<K>, String) {
    let version = |metadata: &mut kube::api::ObjectMeta| metadata.resource_version.take().unwrap_or_default();
    match found {
        Readable::Object(mut object) => {
            let version = version(object.meta_mut());
            (Answer::Found(Arc::new(object)), version)
        }
        Readable::Unreadable { mut metadata, why } => {
            (Answer::Unknown(why, "write the object as its kind defines it"), version(&mut metadata))
        }
    }
}

/// The Secrets that are wanted, each followed by a task of its own.
pub(crate) struct NamedSecrets {
    client: Client,
    store: Store,
    changes: Changes,
    permits: Permits,
    wanted: BTreeMap<ObjectKey, tokio::task::AbortHandle>,
    tasks: JoinSet<()>,
}

impl NamedSecrets {
    pub(super) fn new(client: Client, store: Store, changes: Changes) -> NamedSecrets {
        let permits = Permits::default();
        NamedSecrets { client, store, changes, permits, wanted: BTreeMap::new(), tasks: JoinSet::new() }
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
    }

    fn follow(&mut self, key: ObjectKey) -> tokio::task::AbortHandle {
        let api = Api::<Readable<Secret>>::namespaced(self.client.clone(), &key.namespace);
        let (permits, changes, name) = (self.permits.clone(), self.changes.clone(), key.name.clone());
        let store = self.store.clone();
        let told = move |answer| Some(Change::Secret(key.clone(), answer));
        self.tasks.spawn(Follow { api, name, store, permits, changes, told }.run())
    }
}

/// Not the same for all, so that they do not all ask together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.75 + fastrand::f64() / 2.0)
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
