//! When what is in the index becomes live, and how.
//!
//! Owns: the gathering of changes that come together, the generations, and the log of problems. Never: where the
//! changes come from.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use compile::{Compiled, Settings};
use model::{Problem, Published, RouteTable};

use crate::index::Index;

/// More new problems than this in one publication are counted and not logged one by one.
const MAX_LOGGED: usize = 100;

/// Where the controller publishes.
#[derive(Clone)]
pub struct Live {
    /// The route table that requests load.
    pub routes: Published<RouteTable>,
    /// Everything that is wrong now, sorted.
    pub problems: Published<Vec<Problem>>,
}

impl Default for Live {
    /// An empty table of generation 0, and no problems.
    fn default() -> Live {
        Live { routes: Published::new(RouteTable::default()), problems: Published::new(Vec::new()) }
    }
}

/// Lets a burst of changes give one publication: one is due once nothing has changed for a quiet time, or the first
/// change has waited long enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather {
    quiet: Duration,
    at_most: Duration,
    /// The first and the last change that wait.
    waiting: Option<(Instant, Instant)>,
}

impl Gather {
    pub(crate) fn new(quiet: Duration, at_most: Duration) -> Gather {
        Gather { quiet, at_most, waiting: None }
    }

    /// Something changed.
    pub(crate) fn mark(&mut self, now: Instant) {
        let first = self.waiting.map_or(now, |(first, _)| first);
        self.waiting = Some((first, now));
    }

    /// When the publication is due; `None` if nothing waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.waiting.map(|(first, last)| (first + self.at_most).min(last + self.quiet))
    }

    /// The changes so far are being taken.
    pub(crate) fn clear(&mut self) {
        self.waiting = None;
    }
}

/// Compiles the index and publishes what comes of it, if anything has changed.
pub(crate) struct Publisher {
    live: Live,
    settings: Settings,
    generation: u64,
    /// The revision of the index that is live.
    revision: Option<u64>,
    /// The problems and names of that compile.
    compiled: (Vec<Problem>, BTreeSet<String>),
    reported: BTreeSet<Problem>,
}

impl Publisher {
    pub(crate) fn new(live: Live, settings: Settings) -> Publisher {
        let (compiled, reported) = Default::default();
        Publisher { live, settings, generation: 0, revision: None, compiled, reported }
    }

    /// Makes the index live, and the problems of its compile and of its source.
    pub(crate) fn publish<'a>(&mut self, index: &Index, source: impl Iterator<Item = &'a Problem>) {
        if self.revision != Some(index.revision()) {
            self.publish_routes(index);
        }
        let problems = merge(source, &self.compiled.0, index);
        if problems != self.reported {
            log_changes(&self.reported, &problems);
            self.live.problems.publish(problems.iter().cloned().collect());
            self.reported = problems;
        }
    }

    /// The DNS names that the live routes need.
    pub(crate) fn external_names(&self) -> &BTreeSet<String> {
        &self.compiled.1
    }

    fn publish_routes(&mut self, index: &Index) {
        self.generation += 1;
        let started = Instant::now();
        let Compiled { table, problems, external_names } =
            compile::compile(index.objects(), &self.settings, self.generation);
        let took = started.elapsed();
        tracing::info!(
            generation = self.generation,
            routes = table.routes().len(),
            backends = table.backends().len(),
            problems = problems.len(),
            compiled_in = ?took,
            "routes published"
        );
        self.live.routes.publish(table);
        self.revision = Some(index.revision());
        self.compiled = (problems, external_names);
    }
}

/// The problems of a source and of a compile, the latter with the files of their objects.
pub(crate) fn merge<'a>(
    source: impl Iterator<Item = &'a Problem>,
    compiled: &[Problem],
    index: &Index,
) -> BTreeSet<Problem> {
    let with_file = |problem: &Problem| {
        let mut problem = problem.clone();
        problem.object.file = index.file_of(&problem.object).map(|file| file.to_string());
        problem
    };
    source.cloned().chain(compiled.iter().map(with_file)).collect()
}

fn log_changes(before: &BTreeSet<Problem>, now: &BTreeSet<Problem>) {
    let new: Vec<&Problem> = now.difference(before).collect();
    for problem in new.iter().take(MAX_LOGGED) {
        tracing::warn!("{problem}");
    }
    if new.len() > MAX_LOGGED {
        tracing::warn!(more = new.len() - MAX_LOGGED, "more new problems than are logged one by one");
    }
    let resolved: Vec<&Problem> = before.difference(now).collect();
    for problem in resolved.iter().take(MAX_LOGGED) {
        tracing::info!("resolved: {problem}");
    }
    if resolved.len() > MAX_LOGGED {
        tracing::info!(
            more = resolved.len() - MAX_LOGGED,
            "more resolved problems than are logged one by one"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(10);
    const AT_MOST: Duration = Duration::from_millis(100);

    #[test]
    fn a_single_change_is_due_after_the_quiet_time() {
        let (start, mut gather) = (Instant::now(), Gather::new(QUIET, AT_MOST));
        assert_eq!(gather.due(), None);
        gather.mark(start);
        assert_eq!(gather.due(), Some(start + QUIET));
        gather.clear();
        assert_eq!(gather.due(), None);
    }

    #[test]
    fn a_burst_is_due_when_it_ends_but_never_later_than_at_most() {
        let (start, mut gather) = (Instant::now(), Gather::new(QUIET, AT_MOST));
        (0..5).for_each(|step| gather.mark(start + step * QUIET / 2));
        assert_eq!(gather.due(), Some(start + 3 * QUIET));
        (5..1000).for_each(|step| gather.mark(start + step * QUIET / 2));
        assert_eq!(gather.due(), Some(start + AT_MOST));
    }
}
