//! Which upstreams may answer which URL, at each moment of the demo.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::shop::{ShopState, URLS, UpstreamSet};

/// For each URL, every set of upstreams that was ever allowed, the newest last.
#[derive(Clone)]
pub(super) struct Expected(Arc<[Mutex<Vec<UpstreamSet>>; URLS.len()]>);

/// The moment a request was sent.
#[derive(Clone, Copy)]
pub(super) struct Moment(usize);

impl Expected {
    pub(super) fn new(state: &ShopState) -> Expected {
        Expected(Arc::new(std::array::from_fn(|url| Mutex::new(vec![state.allowed(url)]))))
    }

    /// Now, for a request that is about to be sent.
    pub(super) fn now(&self, url: usize) -> Moment {
        Moment(self.sets(url).len() - 1)
    }

    /// Whether this upstream was allowed at any moment since then.
    pub(super) fn allows(&self, url: usize, since: Moment, upstream: usize) -> bool {
        self.sets(url)[since.0..].iter().any(|set| set & 1 << upstream != 0)
    }

    /// From before a change is written until it is seen live, what was right and what will be are both right.
    pub(super) fn both(&self, old: &ShopState, new: &ShopState) {
        self.push(|url| old.allowed(url) | new.allowed(url));
    }

    /// Once a change is live, only the new state is right for a request that is sent from now on.
    pub(super) fn only(&self, new: &ShopState) {
        self.push(|url| new.allowed(url));
    }

    fn push(&self, set: impl Fn(usize) -> UpstreamSet) {
        (0..URLS.len()).for_each(|url| self.sets(url).push(set(url)));
    }

    fn sets(&self, url: usize) -> MutexGuard<'_, Vec<UpstreamSet>> {
        self.0[url].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
