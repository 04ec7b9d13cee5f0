//! What is wrong with the cluster as a source, told as problems beside those of the objects.

use std::collections::{BTreeMap, BTreeSet};

use compile::ObjectKey;
use model::{ObjectRef, Problem, Severity};

use crate::cluster::Part;
use crate::kinds::{Id, Kind};
use crate::reasons;

/// The watches that fail and the objects that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    parts: BTreeMap<Part, Problem>,
    objects: BTreeMap<Id, Problem>,
    changed: bool,
}

impl Faults {
    /// A watch fails.
    pub(crate) fn failing(&mut self, part: Part, why: &str, remedy: &str) {
        let object = ObjectRef::new(part.kind(), part.namespace(), "");
        let problem = problem(object, reasons::WATCH_FAILED, format!("cannot be followed: {why}"), remedy);
        self.changed |= self.parts.insert(part, problem.clone()) != Some(problem);
    }

    /// It works again.
    pub(crate) fn working(&mut self, part: &Part) {
        self.changed |= self.parts.remove(part).is_some();
    }

    /// An object is there and cannot be read.
    pub(crate) fn unreadable(&mut self, id: Id, why: &str, remedy: &str) {
        let object = id.named();
        let message = format!("cannot be read, and what was last read of it stays in use: {why}");
        let problem = problem(object, reasons::UNREADABLE_OBJECT, message, remedy);
        self.changed |= self.objects.insert(id, problem.clone()) != Some(problem);
    }

    /// The object could be read, or is gone.
    pub(crate) fn readable(&mut self, id: &Id) {
        self.changed |= self.objects.remove(id).is_some();
    }

    /// Forgets the Secrets that no Ingress names any more.
    pub(crate) fn retain_secrets(&mut self, used: &BTreeSet<ObjectKey>) {
        let before = self.objects.len();
        self.objects.retain(|id, _| id.kind != Kind::Secret || used.contains(&id.key()));
        self.changed |= self.objects.len() < before;
    }

    /// All of them.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.parts.values().chain(self.objects.values())
    }

    /// Whether anything has changed that was not taken.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    /// Whether anything has changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

fn problem(object: ObjectRef, reason: &'static str, message: String, remedy: &str) -> Problem {
    let (field, severity, remedy) = (String::new(), Severity::Error, remedy.to_owned());
    Problem { object, field, severity, reason, message, remedy }
}
