//! What is counted of Secrets that are asked for by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many there are, and what reading them came to.
#[derive(Debug, Default)]
pub(crate) struct SecretStats {
    followed: AtomicUsize,
    watched: AtomicUsize,
    found: AtomicU64,
    absent: AtomicU64,
    failed: AtomicU64,
}

impl SecretStats {
    /// So many are followed now, watched or not.
    pub(crate) fn followed(&self, secrets: usize) {
        self.followed.store(secrets, Ordering::Relaxed);
    }

    /// One more is watched, until what is returned is dropped.
    pub(crate) fn watched(stats: &Arc<SecretStats>) -> WatchedSecret {
        stats.watched.fetch_add(1, Ordering::Relaxed);
        WatchedSecret(Arc::clone(stats))
    }

    /// One was read.
    pub(crate) fn found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    /// One does not exist.
    pub(crate) fn absent(&self) {
        self.absent.fetch_add(1, Ordering::Relaxed);
    }

    /// One could not be read.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn export(&self) {
        let watched = self.watched.load(Ordering::Relaxed);
        let read = self.followed.load(Ordering::Relaxed).saturating_sub(watched);
        for (by, secrets) in [("watch", watched), ("read", read)] {
            let secrets = u32::try_from(secrets).unwrap_or(u32::MAX);
            metrics::gauge!("sluicegate_secrets", "followed_by" => by).set(f64::from(secrets));
        }
        for (result, reads) in [("found", &self.found), ("absent", &self.absent), ("failed", &self.failed)] {
            let reads = reads.load(Ordering::Relaxed);
            metrics::counter!("sluicegate_secret_reads_total", "result" => result).absolute(reads);
        }
    }
}

/// A Secret that is watched.
pub(crate) struct WatchedSecret(Arc<SecretStats>);

impl Drop for WatchedSecret {
    fn drop(&mut self) {
        self.0.watched.fetch_sub(1, Ordering::Relaxed);
    }
}
