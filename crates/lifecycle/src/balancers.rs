//! Load balancers that say themselves when they have let go of this process.
//!
//! A lame duck waits until load balancers have noticed. Most can only be trusted to do so within some time. One that can be
//! asked is [`register`](Balancers::register)ed here by what asks it, and the drain begins only when it has let go. How long
//! that may take is the business of what begins the drain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The load balancers that can be asked. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Balancers {
    all: Arc<Mutex<Vec<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    has_let_go: bool,
}

impl Balancers {
    /// Has one waited for before a drain begins.
    pub fn register(&self, name: &'static str) -> Balancer {
        let mut all = self.lock();
        all.push(Entry { name, has_let_go: false });
        Balancer { place: all.len() - 1, balancers: self.clone() }
    }

    /// Those that may still send clients.
    pub fn waiting_for(&self) -> Vec<&'static str> {
        self.lock().iter().filter(|entry| !entry.has_let_go).map(|entry| entry.name).collect()
    }

    /// Whether none of them sends any clients.
    pub fn have_let_go(&self) -> bool {
        self.lock().iter().all(|entry| entry.has_let_go)
    }

    /// What they said no longer counts, since the process serves again.
    pub fn serve_again(&self) {
        self.lock().iter_mut().for_each(|entry| entry.has_let_go = false);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that says so. One that is dropped is waited for as long as it may take: what cannot be asked has not let go.
#[derive(Debug)]
pub struct Balancer {
    place: usize,
    balancers: Balancers,
}

impl Balancer {
    /// Whether it sends this process no more clients.
    pub fn set_let_go(&self, has_let_go: bool) {
        if let Some(entry) = self.balancers.lock().get_mut(self.place) {
            entry.has_let_go = has_let_go;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_have_to_let_go_and_what_was_said_before_the_process_served_again_does_not_count() {
        let balancers = Balancers::default();
        assert!(balancers.have_let_go(), "there is none to wait for");
        let (one, other) = (balancers.register("one"), balancers.register("other"));
        one.set_let_go(true);
        assert_eq!(balancers.waiting_for(), ["other"]);
        other.set_let_go(true);
        assert!(balancers.have_let_go());
        balancers.serve_again();
        assert_eq!(balancers.waiting_for(), ["one", "other"]);
    }

    #[test]
    fn one_that_cannot_be_asked_any_more_has_not_let_go() {
        let balancers = Balancers::default();
        drop(balancers.register("one"));
        assert!(!balancers.have_let_go());
    }
}
