//! What would change in Route 53, and why. Pure: hosts, targets and record sets in, changes and problems out.
//!
//! What is in a zone and not ours stays as it is: a host whose name is taken by it is a problem of its Ingress. All that is
//! changed for one name in one zone is one [`Change`], which is made whole or not at all.

mod change;
mod host;
mod removal;
mod settings;
mod told;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::{ObjectRef, Problem};

use super::name::Name;
use super::record::RecordSet;
use crate::target::{Frontends, LoadBalancer, Scheme};

pub use change::{Action, Change, Edit, Withheld};
pub use settings::{CNAME_TTL, Policy, Settings};
pub use told::reasons;
pub(super) use told::refused;
use zone::{ZoneView, zones_of};

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    /// Route 53's identifier, without `/hostedzone/`.
    pub id: Box<str>,
    /// The domain.
    pub name: Name,
    /// Whether only some networks see it.
    pub is_private: bool,
}

/// A hosted zone and all that is in it.
#[derive(Clone, Debug)]
pub struct ZoneRecords {
    /// The zone.
    pub zone: Zone,
    /// Its record sets.
    pub records: Vec<RecordSet>,
}

/// A host that is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name; `*.` and a name for a wildcard.
    pub name: Name,
    /// From where its clients come.
    pub scheme: Scheme,
    /// The Ingress that says so.
    pub object: ObjectRef,
}

/// All hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Those that are to be found, each name once.
    pub hosts: Vec<Host>,
    /// Those of which is not known how: their records stay as they are.
    pub kept: BTreeSet<Name>,
}

/// What the hosts of a scheme lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A load balancer, by alias records.
    LoadBalancer(LoadBalancer),
    /// Another name, by CNAME records.
    Name(Name),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::LoadBalancer(balancer) => f.write_str(&balancer.dns_name),
            Target::Name(name) => write!(f, "{name}"),
        }
    }
}

/// What the hosts of each scheme lead to. Those of a scheme that is not in here stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets(pub BTreeMap<Scheme, Target>);

impl Targets {
    /// The names that an operator gave, and for schemes without one what was found.
    pub fn new(given: &BTreeMap<Scheme, Target>, found: &Frontends) -> Targets {
        let found = found
            .by_scheme
            .iter()
            .map(|(scheme, balancer)| (*scheme, Target::LoadBalancer(balancer.clone())));
        Targets(found.chain(given.iter().map(|(scheme, target)| (*scheme, target.clone()))).collect())
    }
}

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be changed, deletions last.
    pub changes: Vec<Change>,
    /// What is not, since the policy forbids it.
    pub withheld: Vec<Withheld>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Names with records of ours, in all zones.
    pub owned: usize,
    /// Names whose records are as they should be.
    pub in_place: usize,
}

/// Compares what is with what should be.
pub fn plan(desired: &Desired, targets: &Targets, zones: &[ZoneRecords], settings: &Settings) -> Plan {
    let by_name: Vec<_> = zones.iter().map(ZoneView::index).collect();
    let views: Vec<ZoneView<'_>> =
        zones.iter().zip(&by_name).map(|(zone, by_name)| ZoneView::new(zone, by_name, settings)).collect();
    let mut planning =
        Planning { targets, settings, plan: Plan::default(), wanted: vec![BTreeSet::new(); zones.len()] };
    let here = planning.place(desired, &views);
    for (view, hosts) in views.iter().zip(here) {
        planning.add_hosts(view, &hosts);
    }
    for (at, view) in views.iter().enumerate() {
        planning.plan.owned += view.owned();
        let wanted = std::mem::take(&mut planning.wanted[at]);
        for change in removal::changes(view, &wanted) {
            planning.add(change);
        }
    }
    planning.plan.problems.sort();
    planning.plan.problems.dedup();
    planning.plan
}

/// A plan as far as it is made.
struct Planning<'a> {
    targets: &'a Targets,
    settings: &'a Settings,
    plan: Plan,
    /// For each zone the names that may be there.
    wanted: Vec<BTreeSet<Name>>,
}

/// A host and what it leads to.
#[derive(Clone, Copy)]
struct Led<'a> {
    host: &'a Host,
    target: &'a Target,
}

impl<'a> Planning<'a> {
    /// The hosts of each zone.
    fn place(&mut self, desired: &'a Desired, views: &[ZoneView<'_>]) -> Vec<Vec<Led<'a>>> {
        let mut here = vec![Vec::new(); views.len()];
        // In every zone that it could be in: where a zone below another one is new, resolvers may not ask it yet, and what
        // stands in the one above is what they find.
        for name in desired.kept.iter().chain(desired.hosts.iter().map(|host| &host.name)) {
            let here = views.iter().map(|view| name.is_in(&view.zone.name));
            for (wanted, _) in self.wanted.iter_mut().zip(here).filter(|(_, is_in)| *is_in) {
                wanted.insert(name.clone());
            }
        }
        for host in &desired.hosts {
            let zones = zones_of(&host.name, views);
            let target = self.targets.0.get(&host.scheme);
            if zones.is_empty() {
                self.plan.problems.push(*told::no_zone(host, views.iter().map(|view| &view.zone.name)));
            } else if target.is_none() {
                self.plan.problems.push(*told::no_target(host));
            }
            for at in zones {
                here[at].extend(target.map(|target| Led { host, target }));
            }
        }
        here
    }

    fn add_hosts(&mut self, view: &ZoneView<'_>, hosts: &[Led<'_>]) {
        let cnames = hosts
            .iter()
            .filter(|led| matches!(led.target, Target::Name(_)))
            .map(|led| &led.host.name)
            .collect();
        let names: BTreeSet<&Name> = hosts.iter().map(|led| &led.host.name).collect();
        for led in hosts {
            match host::change(view, *led, &cnames, &names) {
                Ok(Some(change)) => self.add(change),
                Ok(None) => self.plan.in_place += 1,
                Err(problem) => self.plan.problems.push(*problem),
            }
        }
    }

    /// Adds a change, as far as the policy has it.
    fn add(&mut self, change: Change) {
        let gone = change.edits.iter().filter_map(|edit| match edit {
            Edit::Delete(record) => Some(record),
            Edit::Create(_) => None,
        });
        let stays = |record: &RecordSet| {
            let same = |edit: &Edit| matches!(edit, Edit::Create(new) if new.name == record.name && new.kind == record.kind);
            change.edits.iter().any(same)
        };
        let mut gone = gone.filter(|record| !stays(record));
        match (self.settings.policy, gone.next().cloned()) {
            (Policy::UpsertOnly, Some(record)) => {
                let why = format!("--dns-policy upsert-only lets nothing be deleted, as {record} would be");
                self.plan.withheld.push(Withheld { change, why });
            }
            _ => self.plan.changes.push(change),
        }
    }
}
