//! Collects what is wrong with the objects.

use std::collections::BTreeMap;

use model::{ObjectRef, Problem, Severity};

use crate::reasons;

/// Most problems told of one object. An EndpointSlice may hold 1000 endpoints and an Ingress some 10 000 paths;
/// their author mends the first ones and looks again, and each problem becomes a line in the log.
const PROBLEMS_PER_OBJECT_MAX: usize = 50;

/// What is wrong and what to do about it, not yet bound to an object.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) severity: Severity,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Fault {
    /// The named part of the object is not served.
    pub(crate) fn error(
        reason: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault { severity: Severity::Error, reason, message: message.into(), remedy: remedy.into() }
    }

    /// Served as written, but surely not as meant.
    pub(crate) fn warning(
        reason: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault { severity: Severity::Warning, reason, message: message.into(), remedy: remedy.into() }
    }

    /// What was to guard access, or to verify endpoints, cannot be honoured: all routes of the object are refused.
    pub(crate) fn denied(message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::error(reasons::DENIED, message, remedy)
    }

    /// The object as a whole is not served, as if it were not there.
    pub(crate) fn left_out(message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::error(reasons::LEFT_OUT, message, remedy)
    }

    /// Whether the object as a whole is not served.
    pub(crate) fn leaves_out(&self) -> bool {
        self.reason == reasons::LEFT_OUT
    }

    /// Whether all routes of the object are refused.
    pub(crate) fn denies(&self) -> bool {
        self.reason == reasons::DENIED
    }
}

impl From<Fault> for Vec<Fault> {
    fn from(fault: Fault) -> Vec<Fault> {
        vec![fault]
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a fault of `field` of the object.
    pub(crate) fn add(&mut self, object: ObjectRef, field: impl Into<String>, fault: Fault) {
        let Fault { severity, reason, message, remedy } = fault;
        self.0.push(Problem { object, field: field.into(), severity, reason, message, remedy });
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them, sorted, each once, and not more than an author would read.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.0.sort();
        self.0.dedup();
        let mut seen: BTreeMap<ObjectRef, usize> = BTreeMap::new();
        self.0.retain(|problem| {
            let count = seen.entry(problem.object.clone()).or_default();
            *count += 1;
            *count <= PROBLEMS_PER_OBJECT_MAX
        });
        for (object, count) in seen.into_iter().filter(|(_, count)| *count > PROBLEMS_PER_OBJECT_MAX) {
            let message = format!("has {} more problems", count - PROBLEMS_PER_OBJECT_MAX);
            self.add(
                object,
                "",
                Fault::error(reasons::MORE_PROBLEMS, message, "mend the ones that are told first"),
            );
        }
        self.0.sort();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(message: &str) -> Fault {
        Fault::warning(reasons::CONFLICT, message, "")
    }

    #[test]
    fn problems_are_sorted_and_each_is_told_once() {
        let mut problems = Problems::default();
        for (name, message) in [("b", "x"), ("a", "y"), ("b", "x"), ("a", "x")] {
            problems.add(ObjectRef::new("Ingress", "shop", name), "", fault(message));
        }
        let told: Vec<_> = problems.finish().into_iter().map(|p| (p.object.name, p.message)).collect();
        let expected = [("a", "x"), ("a", "y"), ("b", "x")];
        assert_eq!(told, expected.map(|(name, message)| (name.to_string(), message.to_string())));
    }

    #[test]
    fn an_object_with_too_many_problems_says_how_many_are_not_told() {
        let mut problems = Problems::default();
        for at in 0..PROBLEMS_PER_OBJECT_MAX + 7 {
            problems.add(ObjectRef::new("Ingress", "shop", "a"), format!("spec.rules[{at}]"), fault("x"));
        }
        problems.add(ObjectRef::new("Ingress", "shop", "b"), "", fault("x"));
        let told = problems.finish();
        assert_eq!(told.len(), PROBLEMS_PER_OBJECT_MAX + 2);
        assert!(told.iter().any(|p| p.object.name == "a" && p.message == "has 7 more problems"));
        assert!(told.iter().any(|p| p.object.name == "b"));
    }
}
