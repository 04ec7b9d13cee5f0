//! What all objects that are followed by name share: how many may be asked for and watched at once, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::secrets::Secrets;
use crate::stats::{SecretStats, WatchedSecret};

/// Objects that are asked for at once: each request that finds no free connection opens one.
const ASKS_MAX: usize = 16;

/// Objects that are asked for again within a second, on average: with more Secrets than this times the read interval each
/// waits longer, and the API server of a cluster with many nodes lives.
const READS_PER_SECOND_MAX: usize = 100;

/// Secrets watched at once: each holds a connection. Those beyond are only read.
const WATCHES_MAX: usize = 500;

/// What is not a Secret is read again this often where it may not be watched: there are few of these.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Whether watching is allowed; nothing while that is not known.
pub(super) type MayWatch = watch::Receiver<Option<bool>>;

/// What an object is followed with.
#[derive(Clone)]
pub(in crate::cluster) struct Means {
    pub(super) asks: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    may_watch: MayWatch,
    read_interval: Duration,
    /// How long something that is gone counts as still there.
    pub(super) grace: Duration,
    /// How many are followed.
    pub(super) followed: Arc<AtomicUsize>,
    pub(super) stats: Arc<SecretStats>,
}

/// Held while something is watched.
pub(super) struct WatchPermit {
    _permit: OwnedSemaphorePermit,
    _counted: WatchedSecret,
}

impl Means {
    /// For Secrets.
    pub(super) fn new(secrets: &Secrets, may_watch: MayWatch, stats: Arc<SecretStats>) -> Means {
        Means {
            asks: Arc::new(Semaphore::new(ASKS_MAX)),
            watches: Arc::new(Semaphore::new(WATCHES_MAX)),
            may_watch,
            read_interval: secrets.read_interval,
            grace: secrets.grace_period,
            followed: Arc::default(),
            stats,
        }
    }

    /// For a single object, which is watched.
    pub(in crate::cluster) fn of_one() -> Means {
        Means::of_watched(Duration::ZERO)
    }

    /// For few objects, which are watched.
    pub(super) fn of_watched(grace_period: Duration) -> Means {
        let few = Secrets { read_interval: READ_INTERVAL, grace_period };
        let (_, may_watch) = watch::channel(Some(true));
        Means::new(&few, may_watch, Arc::default())
    }

    /// The same, for others that may or may not be watched.
    pub(super) fn with(&self, may_watch: MayWatch) -> Means {
        Means { may_watch, ..self.clone() }
    }

    /// How long to wait before one that was read is read again.
    pub(super) fn interval(&self) -> Duration {
        self.at_the_rate(self.read_interval)
    }

    /// This pause, or a longer one where there are so many that they would be asked for more often than they may be.
    pub(super) fn at_the_rate(&self, pause: Duration) -> Duration {
        let followed = u32::try_from(self.followed.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let rate = u32::try_from(READS_PER_SECOND_MAX).unwrap_or(u32::MAX);
        pause.max(Duration::from_secs(1) * followed / rate)
    }

    /// Leave to watch, if that is allowed and there is room.
    pub(super) fn watch(&self) -> Option<WatchPermit> {
        if *self.may_watch.borrow() != Some(true) {
            return None;
        }
        let permit = Arc::clone(&self.watches).try_acquire_owned().ok()?;
        Some(WatchPermit { _permit: permit, _counted: SecretStats::watched(&self.stats) })
    }

    /// Waits; where it is not known yet whether watching is allowed, no longer than until it is. (Where that is given later
    /// each begins to watch when it would be read next, and so not all at once.)
    pub(super) async fn sleep(&self, pause: Duration) {
        let mut may_watch = self.may_watch.clone();
        if may_watch.borrow().is_some() {
            return tokio::time::sleep(pause).await;
        }
        // An error says that it will never be known.
        let allowed = async {
            if may_watch.wait_for(|said| *said == Some(true)).await.is_err() {
                std::future::pending().await
            }
        };
        let _ = tokio::time::timeout(pause, allowed).await;
    }
}
