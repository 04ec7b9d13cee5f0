//! A task for each object that is wanted.

use std::collections::{BTreeMap, BTreeSet};

use compile::ObjectKey;
use tokio::task::{AbortHandle, JoinSet};

/// The objects that are followed. Dropped, it follows none.
#[derive(Default)]
pub(super) struct Followed {
    wanted: BTreeMap<ObjectKey, AbortHandle>,
    tasks: JoinSet<()>,
}

impl Followed {
    /// Follows none but these any more.
    pub(super) fn keep(&mut self, wanted: &BTreeSet<ObjectKey>) {
        self.wanted.retain(|key, task| {
            let keep = wanted.contains(key);
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
    }

    /// Follows these too, each as `follow` says.
    pub(super) fn add<F>(&mut self, wanted: &BTreeSet<ObjectKey>, mut follow: impl FnMut(ObjectKey) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        for key in wanted {
            if !self.wanted.contains_key(key) {
                let task = self.tasks.spawn(follow(key.clone()));
                self.wanted.insert(key.clone(), task);
            }
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.wanted.len()
    }
}
