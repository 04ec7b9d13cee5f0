//! How a new snapshot becomes live: one owner publishes, many load, none waits.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

/// A snapshot that one owner replaces and many read. A reader gets the old value or the new one, never a mix.
///
/// Clones share the same value: hand one to each reader.
pub struct Published<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    value: ArcSwap<T>,
    subscribers: Mutex<Vec<Box<dyn Fn() + Send>>>,
}

impl<T> Clone for Published<T> {
    fn clone(&self) -> Self {
        Published { inner: Arc::clone(&self.inner) }
    }
}

impl<T> fmt::Debug for Published<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").finish_non_exhaustive()
    }
}

impl<T> Published<T> {
    /// Makes `first` live.
    pub fn new(first: T) -> Self {
        let inner = Inner { value: ArcSwap::from_pointee(first), subscribers: Mutex::new(Vec::new()) };
        Published { inner: Arc::new(inner) }
    }

    /// Makes `next` live and tells the subscribers.
    pub fn publish(&self, next: T) {
        self.inner.value.store(Arc::new(next));
        for told in self.inner.subscribers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            told();
        }
    }

    /// The live value. For a hot path, keep a [`Cache`].
    pub fn load(&self) -> Arc<T> {
        self.inner.value.load_full()
    }

    /// Calls `told` after each later publication, on the publisher's thread: it must only wake another thread.
    pub fn subscribe(&self, told: impl Fn() + Send + 'static) {
        self.inner.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(told));
    }

    /// A reader's own view, which costs one atomic load while nothing has changed.
    pub fn cache(&self) -> Cache<T> {
        Cache { live: self.clone(), seen: self.load() }
    }
}

/// One thread's view of a [`Published`] value.
pub struct Cache<T> {
    live: Published<T>,
    seen: Arc<T>,
}

impl<T> Cache<T> {
    /// The live value.
    pub fn load(&mut self) -> &Arc<T> {
        // A guard is a borrowed load: no reference count is touched unless the value has changed.
        let live = self.live.inner.value.load();
        if !Arc::ptr_eq(&live, &self.seen) {
            self.seen = Arc::clone(&live);
        }
        &self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_cache_sees_each_publication_and_keeps_the_snapshot_it_gave_out() {
        let live = Published::new(1);
        let mut cache = live.cache();
        let before = Arc::clone(cache.load());
        live.publish(2);
        assert_eq!((*before, **cache.load()), (1, 2));
    }

    #[test]
    fn subscribers_hear_of_each_publication_after_it_is_live() {
        let live = Published::new(0);
        let (seen, reader) = (Arc::new(AtomicUsize::new(0)), live.clone());
        let told = Arc::clone(&seen);
        live.subscribe(move || told.store(*reader.load(), Ordering::Relaxed));
        live.publish(7);
        assert_eq!(seen.load(Ordering::Relaxed), 7);
    }
}
