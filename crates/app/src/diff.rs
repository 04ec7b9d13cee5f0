//! `sluicegate diff`: what would change in the routes if some manifests were applied.
//!
//! Compares the tables that `compile` makes of the objects without the manifests and with them; what an object means is not
//! known here.

mod certificates;
mod route;
mod show;
mod tcp_services;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{Write, stdout};

use compile::Compiled;
use model::{HostMatch, PathMatch, Problem, RouteTable, Severity};

use crate::cli::{DiffArgs, Format};
use crate::source::Read;
use crate::{FAILED, USAGE, config};

/// Exit codes, as of `diff` and `kubectl diff`: 0 nothing would change, 1 something would, 2 the objects cannot be read.
pub(crate) fn run(args: &DiffArgs) -> u8 {
    let changes = match changes(args) {
        Ok(changes) => changes,
        Err(error) => {
            eprintln!("error: {error}");
            return USAGE;
        }
    };
    let shown = match args.format {
        Format::Text => show::text(&changes),
        Format::Json => show::json(&changes),
    };
    // A reader that closes the pipe early has read enough.
    let _ = stdout().write_all(shown.as_bytes());
    if changes.is_empty() { 0 } else { FAILED }
}

fn changes(args: &DiffArgs) -> Result<Vec<Change>, String> {
    let Read { mut objects, settings } = Read::new(&args.source, config::settings(&args.classes))?;
    let before = objects.compile(&settings);
    for path in &args.files {
        objects.apply(path).map_err(|error| error.to_string())?;
    }
    Ok(between(&before, &objects.compile(&settings)))
}

/// What would be different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    /// Whether a client may miss something; sorted, these come first.
    weight: Weight,
    /// What it is about: a route, a host, a problem.
    kind: Kind,
    /// Which of these.
    subject: String,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Warning,
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Problem,
    Host,
    Removed,
    Changed,
    Added,
    Certificate,
    Resolved,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Problem => "problem",
            Kind::Host => "host",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
            Kind::Added => "added",
            Kind::Certificate => "certificate",
            Kind::Resolved => "resolved",
        }
    }
}

impl Change {
    fn new(weight: Weight, kind: Kind, subject: impl ToString, text: impl Into<String>) -> Change {
        Change { weight, kind, subject: subject.to_string(), text: text.into() }
    }
}

/// All changes, warnings first.
fn between(before: &Compiled, after: &Compiled) -> Vec<Change> {
    let mut changes = problems(before, after);
    changes.extend(hosts(&before.table, &after.table));
    changes.extend(route::between(&before.table, &after.table));
    changes.extend(tcp_services::between(&before.table, &after.table));
    changes.extend(certificates::between(&before.certificates, &after.certificates));
    changes.sort();
    changes
}

/// The problems that come and go; where their objects were read does not matter.
fn problems(before: &Compiled, after: &Compiled) -> Vec<Change> {
    let all = |compiled: &Compiled| -> BTreeSet<Problem> {
        let without_file = |problem: &Problem| {
            let mut problem = problem.clone();
            problem.object.file = None;
            problem
        };
        compiled.problems.iter().map(without_file).collect()
    };
    let (before, after) = (all(before), all(after));
    let change = |problem: &Problem, weight, kind| {
        let Problem { object, field, message, remedy, severity, .. } = problem;
        let field = if field.is_empty() { String::new() } else { format!(" {field}") };
        let text = format!("{}: {message}; {remedy}", severity.as_str());
        Change::new(weight, kind, format!("{object}{field}"), text)
    };
    let mut new: Vec<&Problem> = after.difference(&before).collect();
    new.sort_by_key(|problem| problem.severity == Severity::Warning);
    let new = new.into_iter().map(|problem| change(problem, Weight::Warning, Kind::Problem));
    let gone = before.difference(&after).map(|problem| change(problem, Weight::Plain, Kind::Resolved));
    new.chain(gone).collect()
}

/// Hosts whose paths are matched by patterns from now on, or no longer.
fn hosts(before: &RouteTable, after: &RouteTable) -> Vec<Change> {
    let with_patterns = |table: &RouteTable| -> BTreeSet<HostMatch> {
        let patterns = table.routes().iter().filter(|route| matches!(route.path, PathMatch::Pattern(_)));
        patterns.map(|route| route.host.clone()).collect()
    };
    let (old, new) = (with_patterns(before), with_patterns(after));
    let known = |table: &RouteTable, host: &HostMatch| table.routes().iter().any(|route| route.host == *host);
    let change = |host: &HostMatch, text| Change::new(Weight::Warning, Kind::Host, host, text);
    let becomes = new.difference(&old).filter(|host| known(before, host)).map(|host| {
        change(host, "all its paths become regular expressions, without regard to case, the longest first")
    });
    let was = old
        .difference(&new)
        .filter(|host| known(after, host))
        .map(|host| change(host, "its paths are no longer regular expressions"));
    becomes.chain(was).collect()
}
