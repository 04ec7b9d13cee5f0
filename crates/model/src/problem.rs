//! What was wrong with an object, in words its author can act on.

use std::fmt;

/// How much a [`Problem`] costs the object it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Served as written, but surely not what its author meant.
    Warning,
    /// The object, or the named part of it, is not served.
    Error,
}

impl Severity {
    /// The word used in logs, metrics and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Names a Kubernetes object and, for a folder of manifests, the file it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `Ingress`, `Service`, …; empty when a file could not be read far enough to know.
    pub kind: String,
    /// The object's namespace; empty for cluster-wide kinds.
    pub namespace: String,
    /// The object's name; empty when a file could not be read far enough to know.
    pub name: String,
    /// The manifest file, where there is one.
    pub file: Option<String>,
}

impl ObjectRef {
    /// An object known by kind, namespace and name.
    pub fn new(kind: &str, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into(), file: None }
    }

    /// A file of which no object could be made out.
    pub fn file(path: &str) -> ObjectRef {
        ObjectRef { file: Some(path.into()), ..ObjectRef::default() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            f.write_str(file)?;
            if self.kind.is_empty() {
                return Ok(());
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.kind)?;
        match (self.namespace.is_empty(), self.name.is_empty()) {
            (_, true) => Ok(()),
            (true, false) => write!(f, " {}", self.name),
            (false, false) => write!(f, " {}/{}", self.namespace, self.name),
        }
    }
}

/// A thing in an object that is refused or doubtful. Everything else in the table goes on being served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// The object the problem is about.
    pub object: ObjectRef,
    /// The path of the field, as `spec.rules[0].http.paths[1].backend`; empty for the object as a whole.
    pub field: String,
    /// What it costs.
    pub severity: Severity,
    /// A stable word for metrics and scripts, as `dangling-reference`; one of a closed set.
    pub reason: &'static str,
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
    /// What its author should do, as a sentence without its full stop.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.severity.as_str(), self.object)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{} [{}]; {}", self.message, self.reason, self.remedy)
    }
}
