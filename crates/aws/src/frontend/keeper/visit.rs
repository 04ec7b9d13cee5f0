//! One look at one place, and what follows from it. All places are visited at once: one that hangs holds up no other.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::super::calls::Registered;
use super::super::fault::Fault;
use super::super::plan::{Step, Wanted, step};
use super::super::{Calls, Health, Place};

/// A look at one place.
pub(super) struct Visit {
    place: Place,
    target: Registered,
    wanted: Wanted,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Visited {
    /// What AWS says; none if it did not answer.
    pub(super) health: Option<Health>,
    /// What was done.
    pub(super) done: Step,
    pub(super) fault: Option<Fault>,
}

impl Visit {
    pub(super) fn new(place: Place, id: String, port: Option<u16>, wanted: Wanted) -> Visit {
        Visit { place, target: Registered { id, port }, wanted }
    }

    async fn make(&self, calls: &Calls) -> Visited {
        let looked = calls.look(&self.place, &self.target).await;
        let (health, looked) = match looked {
            Ok(health) => (Some(health), None),
            // It is deleted, and sends nothing.
            Err(fault) if fault.is_not_found() && self.wanted == Wanted::Out => (Some(Health::Absent), None),
            Err(fault) => (None, Some(fault)),
        };
        let step = step(self.wanted, health.as_ref());
        let acted = match step {
            Step::Register => calls.register(&self.place, &self.target).await,
            Step::Deregister => calls.deregister(&self.place, &self.target).await,
            Step::Wait | Step::Nothing => Ok(()),
        };
        let done = if acted.is_ok() { step } else { Step::Nothing };
        Visited { health, done, fault: acted.err().or(looked) }
    }
}

/// Makes all visits, and returns each place by its ID with what came of it.
pub(super) async fn all(visits: Vec<Visit>, calls: &Arc<Calls>) -> Vec<(String, Visited)> {
    let mut running = JoinSet::new();
    for visit in visits {
        let calls = Arc::clone(calls);
        running.spawn(async move {
            let visited = visit.make(&calls).await;
            (visit.place.at.id().to_owned(), visited)
        });
    }
    let mut made = Vec::new();
    while let Some(visited) = running.join_next().await {
        made.extend(visited.ok());
    }
    made
}
