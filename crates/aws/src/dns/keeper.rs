//! Keeps the records as they should be, for as long as the process lives and may write.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::{Problem, Published};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::api::Route53;
use super::cycle::{Cycles, Outcome};
use super::guard::Limits;
use super::plan::{Change, Desired, Settings, Target, Targets};
use super::zones::ZoneFilter;
use crate::target::{Frontends, Scheme};

/// Between two cycles while hosts change: a rollout of many Ingresses is one change, and lists cost calls.
const GAP_MIN: Duration = Duration::from_secs(10);
/// How long a cycle may take: 10 000 hosts that are all new need some two minutes at five calls a second.
const CYCLE_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// More changes than this in one cycle are counted and not logged one by one.
const LOGGED_MAX: usize = 100;

/// What is kept, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// How AWS is reached.
    pub sdk: crate::sdk::Settings,
    /// How records are written, and whose they are.
    pub settings: Settings,
    /// Which zones are looked at.
    pub filter: ZoneFilter,
    /// What has to be so before anything is deleted.
    pub limits: Limits,
    /// What the hosts of a scheme lead to, whatever is found.
    pub given: BTreeMap<Scheme, Target>,
    /// From where the clients of a host come of which no Ingress says it; none: it gets no records.
    pub default_scheme: Option<Scheme>,
    /// How often all is looked at while nothing changes here.
    pub interval: Duration,
}

/// What is wanted, kept up to date by others.
#[derive(Clone)]
pub struct Wanted {
    /// The hosts.
    pub desired: Published<Desired>,
    /// The load balancers that were found.
    pub frontends: Published<Frontends>,
    /// Whether this process is the one that writes.
    pub writes: Published<bool>,
}

/// What came of it, for those that show it.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether this process is the one that writes.
    pub writes: bool,
    /// When a cycle last came to its end.
    pub last: Option<SystemTime>,
    /// Names with records of ours.
    pub owned: usize,
    /// Names whose records are as they should be.
    pub in_place: usize,
    /// Changes that are not made, each with the reason.
    pub withheld: Vec<(Change, String)>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Why the last cycle could not do all, if it could not.
    pub error: Option<String>,
    /// Changes that were made since the start.
    pub made: u64,
    /// Changes that Route 53 refused since the start.
    pub refused: u64,
    /// Cycles that could not do all, since the start.
    pub failed: u64,
}

/// Keeps records.
pub struct Keeper<R> {
    cycles: Cycles<R>,
    config: Config,
    wanted: Wanted,
    live: Published<State>,
    state: State,
}

impl<R: Route53> Keeper<R> {
    /// Does nothing before it is run. What comes of it is published in `live`.
    pub fn new(route53: R, config: Config, wanted: Wanted, live: Published<State>) -> Keeper<R> {
        let cycles = Cycles::new(route53, config.settings.clone(), config.filter.clone(), config.limits);
        Keeper { cycles, config, wanted, live, state: State::default() }
    }

    /// Looks again and again: soon after something has changed here, and at intervals since others may change records, too.
    pub async fn run(mut self) -> Infallible {
        let changed = self.changed();
        loop {
            let started = Instant::now();
            let writes = *self.wanted.writes.load();
            if writes {
                self.once().await;
            } else if self.state.writes {
                // Another one writes now, and what this one knew is of no use any more.
                self.state = State { made: self.state.made, refused: self.state.refused, ..State::default() };
                self.cycles.forget();
            }
            self.state.writes = writes;
            self.live.publish(self.state.clone());
            let gap = if writes { GAP_MIN.min(self.config.interval) } else { Duration::ZERO };
            tokio::select! {
                () = changed.notified() => sleep_until(started + gap).await,
                () = sleep(self.config.interval) => {}
            }
        }
    }

    /// Woken by whatever a cycle depends on.
    fn changed(&self) -> Arc<Notify> {
        let changed = Arc::new(Notify::new());
        let wake = || {
            let changed = Arc::clone(&changed);
            move || changed.notify_one()
        };
        self.wanted.desired.subscribe(wake());
        self.wanted.frontends.subscribe(wake());
        self.wanted.writes.subscribe(wake());
        changed
    }

    async fn once(&mut self) {
        let targets = Targets::new(&self.config.given, &self.wanted.frontends.load());
        if targets.0.is_empty() {
            return self.fails(
                "no load balancer is found yet, and --dns-target names nothing; records stay as they are"
                    .into(),
            );
        }
        let (desired, writes) = (self.wanted.desired.load(), self.wanted.writes.clone());
        let cycle = self.cycles.run(&desired, &targets, move || *writes.load());
        match timeout(CYCLE_TIME_MAX, cycle).await {
            Ok(Ok(outcome)) => self.tell(outcome),
            Ok(Err(fault)) => self.fails(fault.to_string()),
            Err(_) => self.fails(format!(
                "it took more than {} minutes and was given up",
                CYCLE_TIME_MAX.as_secs() / 60
            )),
        }
    }

    fn tell(&mut self, outcome: Outcome) {
        for change in outcome.made.iter().take(LOGGED_MAX) {
            let (action, zone) = (change.action.as_str(), &change.zone.name);
            tracing::info!("DNS: {action} {} in {zone}: {}", change.name, change.reason);
        }
        if outcome.made.len() > LOGGED_MAX {
            tracing::info!(
                more = outcome.made.len() - LOGGED_MAX,
                "more DNS changes than are logged one by one"
            );
        }
        for problem in outcome
            .plan
            .problems
            .iter()
            .filter(|problem| !self.state.problems.contains(problem))
            .take(LOGGED_MAX)
        {
            tracing::warn!("DNS: {problem}");
        }
        self.state.last = Some(SystemTime::now());
        (self.state.owned, self.state.in_place) = (outcome.plan.owned, outcome.plan.in_place);
        let withheld = outcome.plan.withheld.into_iter().map(|withheld| (withheld.change, withheld.why));
        self.state.withheld = withheld.collect();
        self.state.problems = outcome.plan.problems;
        self.state.made += outcome.made.len() as u64;
        self.state.refused += outcome.refused as u64;
        match outcome.stopped {
            Some(fault) => self.fails(fault.to_string()),
            None => self.state.error = None,
        }
    }

    /// Told once, until it is another one.
    fn fails(&mut self, error: String) {
        self.state.failed += 1;
        if self.state.error.as_ref() != Some(&error) {
            tracing::warn!("DNS records are not kept: {error}");
        }
        self.state.error = Some(error);
    }
}
