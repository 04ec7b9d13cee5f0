//! Once through everything: list, plan, hold back, write. And what is remembered from one cycle to the next.

use std::collections::BTreeSet;

use super::api::{Fault, Route53};
use super::apply::{ChangeKey, apply, key};
use super::guard::{Guard, Limits};
use super::pace::Paced;
use super::plan::{Change, Desired, Plan, Policy, Settings, Targets, Withheld, plan, refused};
use super::zones::{ZoneFilter, records, zones};

/// Does it again and again.
pub struct Cycles<R> {
    route53: Paced<R>,
    settings: Settings,
    filter: ZoneFilter,
    guard: Guard,
    /// Changes that were refused in the last cycle.
    suspects: BTreeSet<ChangeKey>,
}

/// What a cycle did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was planned, without what is held back. The problems are of this cycle, with those of changes that were refused.
    pub plan: Plan,
    /// The changes that were made.
    pub made: Vec<Change>,
    /// How many changes were refused.
    pub refused: usize,
    /// Why others were not tried.
    pub stopped: Option<Fault>,
}

impl<R: Route53> Cycles<R> {
    /// Begins anew.
    pub fn new(route53: R, settings: Settings, filter: ZoneFilter, limits: Limits) -> Cycles<R> {
        let (route53, guard) = (Paced::new(route53), Guard::new(limits));
        Cycles { route53, settings, filter, guard, suspects: BTreeSet::new() }
    }

    /// Forgets what was planned before.
    pub fn forget(&mut self) {
        self.guard.forget();
        self.suspects.clear();
    }

    /// Reads what there is, and says what would change. Nothing is held back yet.
    ///
    /// # Errors
    /// If something cannot be read: then nothing may be written either.
    pub async fn plan(&self, desired: &Desired, targets: &Targets) -> Result<Plan, Fault> {
        let mut all = Vec::new();
        for zone in zones(&self.route53, &self.filter).await? {
            all.push(records(&self.route53, &zone).await?);
        }
        Ok(plan(desired, targets, &all, &self.settings))
    }

    /// One cycle. `may_write` is asked before each change.
    ///
    /// # Errors
    /// As [`Cycles::plan`].
    pub async fn run(
        &mut self,
        desired: &Desired,
        targets: &Targets,
        may_write: impl Fn() -> bool,
    ) -> Result<Outcome, Fault> {
        let mut plan = self.plan(desired, targets).await?;
        self.guard.judge(&mut plan, desired.hosts.is_empty() && desired.kept.is_empty());
        if self.settings.policy == Policy::DryRun {
            let why = "--dns-policy dry-run";
            let changes = std::mem::take(&mut plan.changes).into_iter();
            plan.withheld.extend(changes.map(|change| Withheld { change, why: why.into() }));
        }
        let applied = apply(&self.route53, &plan.changes, &self.suspects, may_write).await;
        self.suspects = applied.refused.iter().map(|(key, _)| key.clone()).collect();
        let told = applied.refused.iter().map(|((zone, name), fault)| refused(zone, name, &fault.message));
        plan.problems.extend(told);
        let stopped = applied.stopped.into_iter().next().map(|(_, fault)| fault);
        let done: BTreeSet<ChangeKey> = applied.done.into_iter().collect();
        let made = plan.changes.iter().filter(|change| done.contains(&key(change))).cloned().collect();
        Ok(Outcome { plan, made, refused: self.suspects.len(), stopped })
    }
}
