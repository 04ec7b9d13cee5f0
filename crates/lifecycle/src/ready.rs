//! Readiness: the process is ready when nothing that was registered is waited for any more, and it is not about to
//! leave without a successor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Phase, Watch};

/// Knows what the process still waits for before it may receive traffic.
#[derive(Clone, Debug)]
pub struct Readiness {
    waiting: Arc<Mutex<Vec<Entry>>>,
    drain: Watch,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    what: &'static str,
    /// Whether it is load balancers that are waited for. They must not be told so: they would wait for us.
    is_arrival: bool,
}

impl Readiness {
    /// Ready at once, until something is [`register`](Readiness::register)ed or the drain starts.
    pub fn new(drain: Watch) -> Readiness {
        Readiness { waiting: Arc::default(), drain }
    }

    /// Keeps the process from being ready until the guard says [`done`](Waiting::done).
    pub fn register(&self, what: &'static str) -> Waiting {
        self.enter(Entry { what, is_arrival: false })
    }

    /// Keeps the process from having [arrived](Readiness::arriving) until the guard says [`done`](Waiting::done).
    pub fn register_arrival(&self, what: &'static str) -> Waiting {
        self.enter(Entry { what, is_arrival: true })
    }

    fn enter(&self, entry: Entry) -> Waiting {
        self.lock().push(entry);
        Waiting { entry, readiness: self.clone() }
    }

    /// What the process still waits for; empty when it is ready. One that is about to leave waits for nothing but is
    /// not ready: it says `lame duck`, then `drain`. One that has handed over does not: a probe asks about the address,
    /// where its successor serves, and a probe that this process happened to accept just before must not tell anything
    /// else.
    pub fn waiting_for(&self) -> Vec<&'static str> {
        let mut waiting = self.entered(false);
        match self.drain.phase() {
            Phase::Serving | Phase::HandedOver | Phase::LetGo => {}
            Phase::LameDuck => waiting.push("lame duck"),
            Phase::Draining | Phase::Stopping => waiting.push("drain"),
        }
        waiting
    }

    /// What the process still waits for before clients reach it, although it is ready for them: load balancers, which ask
    /// whether it is ready. It is for those that replace one process by the next, such as a rollout.
    pub fn arriving(&self) -> Vec<&'static str> {
        self.entered(true)
    }

    fn entered(&self, is_arrival: bool) -> Vec<&'static str> {
        let waiting = self.lock();
        waiting.iter().filter(|entry| entry.is_arrival == is_arrival).map(|entry| entry.what).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guard that readiness waits for. Dropping it without [`done`](Waiting::done) leaves the process unready for good:
/// what failed to start has not become ready.
#[derive(Debug)]
#[must_use = "the process stays unready until this says done"]
pub struct Waiting {
    entry: Entry,
    readiness: Readiness,
}

impl Waiting {
    /// Readiness waits for this no longer.
    pub fn done(self) {
        let mut waiting = self.readiness.lock();
        if let Some(at) = waiting.iter().position(|entry| *entry == self.entry) {
            waiting.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::drain;

    #[test]
    fn ready_only_when_all_guards_are_done_and_nothing_drains() {
        let (trigger, watch) = drain();
        let readiness = Readiness::new(watch);
        let (routes, listeners) = (readiness.register("route table"), readiness.register("listeners"));
        routes.done();
        assert_eq!(readiness.waiting_for(), ["listeners"]);
        listeners.done();
        assert!(readiness.waiting_for().is_empty());
        trigger.advance(Phase::LameDuck);
        assert_eq!(readiness.waiting_for(), ["lame duck"]);
        trigger.advance(Phase::Draining);
        assert_eq!(readiness.waiting_for(), ["drain"]);
    }

    #[test]
    fn a_handover_does_not_make_an_address_unready_where_a_successor_serves() {
        let (trigger, watch) = drain();
        let readiness = Readiness::new(watch);
        trigger.advance(Phase::HandedOver);
        assert!(readiness.waiting_for().is_empty());
    }

    #[test]
    fn load_balancers_are_not_told_that_they_are_waited_for() {
        let (_trigger, watch) = drain();
        let readiness = Readiness::new(watch);
        let arrival = readiness.register_arrival("load balancers");
        assert!(readiness.waiting_for().is_empty());
        assert_eq!(readiness.arriving(), ["load balancers"]);
        arrival.done();
        assert!(readiness.arriving().is_empty());
    }

    #[test]
    fn a_guard_that_is_lost_leaves_the_process_unready() {
        let (_trigger, watch) = drain();
        let readiness = Readiness::new(watch);
        drop(readiness.register("route table"));
        assert_eq!(readiness.waiting_for(), ["route table"]);
    }
}
