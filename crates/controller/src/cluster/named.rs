//! Single objects, followed by name: Secrets that an Ingress names, ConfigMaps, our own node, the Service that status shows.
//!
//! Secrets are never listed, and watched only where that is allowed: with the right to list or watch them all of them
//! can be read. One is asked for by name, and again after a while; with the verb `watch` it is watched by name in
//! between.
//!
//! Owns: what is asked and when, and what counts as gone. Never: which objects are wanted; that is `secrets.rs` and
//! [`Watches`](super::Watches). Start at [`Follow::run`].

mod addresses;
mod config_maps;
mod followed;
mod means;
mod rights;
mod secrets;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use kube::api::{GetParams, WatchEvent, WatchParams};
use kube::{Api, Resource};

use super::proof::Store;
use super::readable::Readable;
use super::{Backoff, Change, Changes, WATCH_SECONDS, Watched, error};
use crate::wait::{doubled, jittered};
pub(super) use addresses::addresses;
pub(crate) use config_maps::NamedConfigMaps;
pub(super) use means::Means;
pub(crate) use secrets::NamedSecrets;
pub use secrets::Secrets;

/// How long the API server may take to give one object. While it hangs, others wait for their turn.
const ASK_TIME_MAX: Duration = Duration::from_secs(5);

/// The pause after a failure, and where there is no such object, doubled up to the read interval. Shorter while nothing
/// was ever answered: a route may wait for it.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_UNANSWERED: Duration = Duration::from_millis(100);

/// A passing trouble is over sooner.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What is gone and may be made again in a moment is asked for this often.
const GONE_ASKED_EVERY: Duration = Duration::from_secs(1);

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
    pub(super) means: Means,
    pub(super) changes: Changes,
    /// What of it is a change.
    pub(super) told: F,
}

/// How far it is.
#[derive(Default)]
struct Progress {
    /// Whether the API server has ever answered.
    heard: bool,
    /// Whether a failure was told, or is no news.
    told: bool,
    /// Whether it existed when that was last known.
    found: bool,
    /// Until when it counts as still there, though it is gone.
    gone_until: Option<Instant>,
    /// The version that was read last, if the next answer need only be as new.
    version: Option<String>,
    /// Whether the next pause is about the whole interval, and not any part of it: many that were asked for together
    /// are not to be asked for together again.
    is_regular: bool,
    failures: u32,
    watches: Backoff,
}

/// Why it is not known what has become of the object.
struct Unanswered {
    why: String,
    remedy: &'static str,
    /// Whether that is no passing trouble.
    lasts: bool,
}

/// How a watch ended.
enum Watching {
    Ended,
    /// It may not be watched, whatever was said before.
    Refused,
}

impl<K: Watched, F: Fn(Answer<K>) -> Option<Change>> Follow<K, F> {
    /// Follows it until dropped.
    pub(super) async fn run(self) {
        let mut now = Progress::default();
        loop {
            let pause = match self.ask(&mut now).await {
                Ok((answer, version)) => {
                    let absent = matches!(answer, Answer::Absent);
                    self.answered(answer, &mut now).await;
                    match self.watch_if_allowed(&version, &mut now).await {
                        Some(pause) => pause,
                        None => self.pause(absent, version, &mut now),
                    }
                }
                Err(unanswered) => self.failed(unanswered, &mut now).await,
            };
            self.means.sleep(pause).await;
        }
    }

    /// Asks for it by name. What was found before is gone only where the store is still the first.
    async fn ask(&self, now: &mut Progress) -> Result<(Answer<K>, String), Unanswered> {
        // The semaphore is never closed.
        let _held = self.means.asks.acquire().await;
        // With a version the API server need not ask its store, and still never goes back.
        let params = GetParams { resource_version: now.version.take() };
        let found = tokio::time::timeout(ASK_TIME_MAX, self.api.get_with(&self.name, &params)).await;
        match found {
            Ok(Ok(object)) => {
                self.means.stats.found();
                Ok(read(object))
            }
            Ok(Err(error)) if error::is_not_found(&error, &self.name) => {
                self.means.stats.absent();
                // What was never found cannot be gone: the store need not be asked.
                if now.found
                    && let Err(why) = self.store.is_the_first().await
                {
                    let why = format!("it is gone and kept: {why}");
                    return Err(Unanswered { why, remedy: error::KEPT_REMEDY, lasts: true });
                }
                Ok((Answer::Absent, String::new()))
            }
            Ok(Err(error)) => {
                self.means.stats.failed();
                let (remedy, lasts) = (error::remedy(&error), error::is_refused(&error));
                Err(Unanswered { why: error::text(&error), remedy, lasts })
            }
            Err(_) => {
                self.means.stats.failed();
                let why = format!("no answer within {ASK_TIME_MAX:?}");
                Err(Unanswered { why, remedy: error::UNREACHABLE, lasts: false })
            }
        }
    }

    /// Tells what was answered. That it is gone is told only after the grace period: an object that is replaced by
    /// another of its name is deleted first.
    async fn answered(&self, answer: Answer<K>, now: &mut Progress) {
        (now.heard, now.told) = (true, true);
        if matches!(answer, Answer::Absent) {
            if now.found {
                let until = *now.gone_until.get_or_insert_with(|| Instant::now() + self.means.grace);
                if Instant::now() < until {
                    return;
                }
            }
            (now.found, now.gone_until) = (false, None);
        } else {
            (now.found, now.gone_until) = (true, None);
        }
        self.tell(answer).await;
    }

    /// What was known before stays. That it cannot be asked for is told where nothing is known, and where that is no
    /// passing trouble. Returns when to ask again.
    async fn failed(&self, Unanswered { why, remedy, lasts }: Unanswered, now: &mut Progress) -> Duration {
        if !std::mem::replace(&mut now.told, true) || lasts {
            self.tell(Answer::Unknown(why, remedy)).await;
        }
        let interval = self.means.interval();
        retry(if lasts { interval } else { interval.min(self.means.at_the_rate(RETRY_MAX)) }, now)
    }

    /// When to ask again for what is not watched.
    fn pause(&self, absent: bool, version: String, now: &mut Progress) -> Duration {
        if let Some(until) = now.gone_until {
            let left = until.saturating_duration_since(Instant::now());
            return jittered(GONE_ASKED_EVERY).min(left);
        }
        let interval = self.means.interval();
        if absent {
            return retry(interval, now);
        }
        now.failures = 0;
        now.version = Some(version).filter(|version| !version.is_empty());
        match std::mem::replace(&mut now.is_regular, true) {
            true => around(interval),
            false => interval.mul_f64(fastrand::f64()),
        }
    }

    /// Watches it if that is allowed and there is room. Returns the pause before it is to be asked for again, if it was
    /// watched.
    async fn watch_if_allowed(&self, version: &str, now: &mut Progress) -> Option<Duration> {
        let watching = self.means.watch()?;
        let (since, until) = (Instant::now(), now.gone_until);
        let watched = tokio::select! {
            watched = self.watch(version, now) => watched,
            () = crate::wait::until(until) => Watching::Ended,
        };
        drop(watching);
        if matches!(watched, Watching::Refused) {
            return None;
        }
        // Why it ended does not matter: the next answer tells what is true.
        (now.is_regular, now.failures) = (false, 0);
        if since.elapsed() > WATCH_WORKED {
            now.watches.reset();
        }
        Some(now.watches.next())
    }

    /// Watches from a version on, or from now on if there is none, until the watch ends or the object is gone.
    async fn watch(&self, version: &str, now: &mut Progress) -> Watching {
        let only = format!("metadata.name={}", self.name);
        let params = WatchParams::default().fields(&only).timeout(fastrand::u32(WATCH_SECONDS));
        let mut events = match self.api.watch(&params, version).await {
            Ok(events) => pin!(events),
            Err(error) if error::is_refused(&error) => return Watching::Refused,
            Err(_) => return Watching::Ended,
        };
        while let Some(Ok(event)) = events.next().await {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.answered(read(object).0, now).await;
                }
                WatchEvent::Bookmark(_) => {}
                // It is asked for once more before it counts as gone. An error is most likely 410, the place is lost.
                WatchEvent::Deleted(_) | WatchEvent::Error(_) => break,
            }
        }
        Watching::Ended
    }

    async fn tell(&self, answer: Answer<K>) {
        if let Some(change) = (self.told)(answer) {
            self.changes.send(change).await;
        }
    }
}

/// The pause before the next try, and no regular one after it.
fn retry(max: Duration, now: &mut Progress) -> Duration {
    let first = if now.heard { RETRY_FIRST } else { RETRY_UNANSWERED };
    let full = doubled(first, now.failures, max);
    now.failures = now.failures.saturating_add(1);
    now.is_regular = false;
    jittered(full)
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

/// A quarter more or less, so that they do not all ask together.
fn around(interval: Duration) -> Duration {
    interval.mul_f64(0.75 + fastrand::f64() / 2.0)
}
