//! What changes while the clients ask: the plan, and what carries it out.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::brood::{Brood, LOOK, go_on, pause};
use crate::clients::{Clients, Others};
use crate::door;
use crate::proxy::{Part, Proxy};
use crate::world::World;

/// How long a change may take to be live. One that takes longer is told, and is no loss.
const LIVE_PATIENCE: Duration = Duration::from_secs(10);
/// The order of mixed changes: any, but the same in each run.
const SEED: u64 = 5;

/// One change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Routes,
    Endpoints,
    Certificate,
    Replacement,
}

/// How many changes there are, and when.
#[derive(Clone, clap::Args)]
pub(crate) struct Plan {
    /// Changes of the routes, and as many of the endpoints
    #[arg(long, default_value_t = 40)]
    changes: usize,
    /// Changes of the certificate
    #[arg(long, default_value_t = 5)]
    certificates: usize,
    /// Replacements of the process
    #[arg(long, default_value_t = 10)]
    replacements: usize,
    /// All kinds of changes in any order, instead of one kind after the other
    #[arg(long)]
    mixed: bool,
    /// How long the changes take in all, for each proxy, in seconds; each kind has its share of it
    #[arg(long, default_value_t = 45)]
    seconds: u64,
    /// So many requests of each proxy's clients in place of --seconds
    #[arg(long)]
    requests: Option<u64>,
    /// How long the clients go on after the last change until all former processes have ended, at most, in seconds
    #[arg(long, default_value_t = 90)]
    settle: u64,
}

impl Plan {
    /// The phases of the run, each with its changes.
    fn phases(&self) -> Vec<(&'static str, Vec<Change>)> {
        let mut phases = vec![
            ("routes", vec![Change::Routes; self.changes]),
            ("endpoints", vec![Change::Endpoints; self.changes]),
            ("certificates", vec![Change::Certificate; self.certificates]),
            ("replacements", vec![Change::Replacement; self.replacements]),
        ];
        if self.mixed {
            let mut all: Vec<_> = phases.into_iter().flat_map(|(_, changes)| changes).collect();
            fastrand::Rng::with_seed(SEED).shuffle(&mut all);
            phases = vec![("mixed", all)];
        }
        phases.retain(|(_, changes)| !changes.is_empty());
        phases
    }

    /// Which part of the run is over, from 0 to 1.
    fn progress(&self, begun: Instant, requests: u64) -> f64 {
        match self.requests {
            Some(all) => requests as f64 / all.max(1) as f64,
            None => begun.elapsed().as_secs_f64() / self.seconds.max(1) as f64,
        }
    }
}

/// How the changes of one phase went.
pub(crate) struct Course {
    pub(crate) phase: &'static str,
    pub(crate) done: usize,
    /// Changes that no answer has shown in time.
    pub(crate) unseen: usize,
    /// The longest time until a change was live, or a process replaced.
    pub(crate) slowest: Duration,
}

/// Everything that takes part in a run.
pub(crate) struct Stage<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clients: &'a Clients,
    pub(crate) proxy: &'a mut dyn Proxy,
    pub(crate) brood: &'a mut Brood,
    pub(crate) world: &'a mut World,
}

impl Stage<'_> {
    /// Carries the whole plan out, adding to `courses` as it goes.
    pub(crate) fn run(&mut self, courses: &mut Vec<Course>) -> Result<()> {
        let (begun, phases) = (Instant::now(), self.plan.phases());
        let count = phases.len().max(1) as f64;
        for (number, (phase, changes)) in phases.iter().enumerate() {
            self.clients.tally.lock().enter(phase);
            courses.push(Course { phase, done: 0, unseen: 0, slowest: Duration::ZERO });
            for (at, change) in changes.iter().enumerate() {
                self.wait_until(begun, (number as f64 + (at as f64 + 0.5) / changes.len() as f64) / count)?;
                let took = self.carry_out(*change)?;
                let course = courses.last_mut().expect("it was just added");
                course.done += 1;
                course.unseen += usize::from(took.is_none());
                course.slowest = course.slowest.max(took.unwrap_or(LIVE_PATIENCE));
            }
            self.wait_until(begun, (number + 1) as f64 / count)?;
        }
        self.settle(courses)
    }

    fn wait_until(&mut self, begun: Instant, part: f64) -> Result<()> {
        // Behind the plan there is no wait, and yet a Ctrl-C has to be heard.
        go_on()?;
        while self.plan.progress(begun, self.clients.requests()) < part {
            self.world.stop_leavers();
            pause()?;
        }
        Ok(())
    }

    /// How long it took; `None` if it was too long.
    fn carry_out(&mut self, change: Change) -> Result<Option<Duration>> {
        let begun = Instant::now();
        let is_live = match change {
            Change::Replacement => {
                self.proxy.replace(self.brood)?;
                true
            }
            Change::Routes => {
                self.world.change_routes();
                self.proxy.apply(self.brood, self.world, Part::Routes)?;
                self.is_live("/switch", format!("{}-1", self.world.colour()))?
            }
            Change::Certificate => {
                self.world.change_certificate()?;
                self.proxy.apply(self.brood, self.world, Part::Certificate)?;
                let new = door::name(&self.world.certificate.der);
                let (others, is_live) = self.clients.until_presented(new.clone(), LIVE_PATIENCE)?;
                told(is_live, "the certificate", &new, &others)
            }
            Change::Endpoints => {
                let new = self.world.change_endpoints()?;
                self.proxy.apply(self.brood, self.world, Part::Endpoints)?;
                let is_live = self.is_live("/", new)?;
                self.world.let_go();
                is_live
            }
        };
        Ok(is_live.then(|| begun.elapsed()))
    }

    fn is_live(&self, path: &'static str, endpoint: String) -> Result<bool> {
        let (others, is_live) = self.clients.until_live(path, endpoint.clone(), LIVE_PATIENCE)?;
        Ok(told(is_live, path, &endpoint, &others))
    }

    /// Until none of those that have been replaced is left.
    fn settle(&mut self, courses: &mut Vec<Course>) -> Result<()> {
        self.clients.tally.lock().enter("settle");
        let (begun, longest) = (Instant::now(), Duration::from_secs(self.plan.settle));
        while begun.elapsed() < longest && self.proxy.former(self.brood) > 0 {
            self.world.stop_leavers();
            pause()?;
            // Looking costs a little, and nothing waits for the moment.
            std::thread::sleep(20 * LOOK);
        }
        courses.push(Course { phase: "settle", done: 0, unseen: 0, slowest: begun.elapsed() });
        Ok(())
    }
}

/// Tells what was seen instead.
fn told(is_live: bool, what: &str, wanted: &str, others: &Others) -> bool {
    if !is_live {
        eprintln!("{what} was not {wanted} within {LIVE_PATIENCE:?}, but {others:?}");
    }
    is_live
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_changes_are_as_many_as_changes_apart() {
        let plan = |mixed| {
            let (changes, certificates, replacements) = (7, 2, 3);
            Plan { changes, certificates, replacements, mixed, seconds: 1, requests: None, settle: 0 }
        };
        let count = |plan: Plan| plan.phases().iter().map(|(_, changes)| changes.len()).collect::<Vec<_>>();
        assert_eq!(count(plan(false)), [7, 7, 2, 3]);
        assert_eq!(count(plan(true)), [19]);
    }
}
