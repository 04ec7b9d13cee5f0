//! A plan becomes batches of changes. Route 53 makes a batch whole or not at all: one that is refused is cut in two until the
//! change is found that it cannot have, so that one bad host harms no other.

use std::collections::BTreeSet;

use super::api::{Fault, FaultKind, Route53};
use super::name::Name;
use super::pace::Paced;
use super::plan::{Change, Edit, Zone};
use super::record::Data;

/// Most values in a batch (`ResourceRecord` elements, with an alias counted as one). Only an UPSERT would count twice
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>).
const VALUES_MAX: usize = 1_000;
/// Most characters of values in a batch, likewise.
const CHARACTERS_MAX: usize = 32_000;
/// Most calls that changes of one zone may take: with fifty hosts that cannot be written, and five calls a second, two minutes.
/// What is left then is for the next cycle.
const CALLS_MAX: usize = 600;

/// A change by what it is about.
pub type ChangeKey = (Box<str>, Name);

/// What became of changes.
#[derive(Debug, Default)]
pub struct Applied {
    /// Changes that were made.
    pub done: Vec<ChangeKey>,
    /// Changes that were refused, and why.
    pub refused: Vec<(ChangeKey, Fault)>,
    /// Why others were not tried, if any were not, for each zone.
    pub stopped: Vec<(Zone, Fault)>,
}

/// Makes these changes, as long as `may_write` says so before each call. Those in `suspects` were refused before: they get
/// batches of their own.
pub async fn apply<R: Route53>(
    route53: &Paced<R>,
    changes: &[Change],
    suspects: &BTreeSet<ChangeKey>,
    may_write: impl Fn() -> bool,
) -> Applied {
    let mut applied = Applied::default();
    let zones: BTreeSet<&Zone> = changes.iter().map(|change| &change.zone).collect();
    for zone in zones {
        let here = changes.iter().filter(|change| change.zone == *zone);
        let (alone, together): (Vec<&Change>, Vec<&Change>) =
            here.partition(|change| suspects.contains(&key(change)));
        let mut batches: Vec<Vec<&Change>> = batches(together);
        batches.extend(alone.into_iter().map(|change| vec![change]));
        let mut zone = ZoneWriter { route53, zone, may_write: &may_write, calls: 0, applied: &mut applied };
        zone.write(batches).await;
    }
    applied
}

/// What a change is about.
pub fn key(change: &Change) -> ChangeKey {
    (change.zone.id.clone(), change.name.clone())
}

/// As few batches as the limits allow, in order.
fn batches(changes: Vec<&Change>) -> Vec<Vec<&Change>> {
    let (mut batches, mut values, mut characters) = (Vec::<Vec<&Change>>::new(), usize::MAX, 0);
    for change in changes {
        let (more_values, more_characters) = size(change);
        if values.saturating_add(more_values) > VALUES_MAX || characters + more_characters > CHARACTERS_MAX {
            (values, characters) = (0, 0);
            batches.push(Vec::new());
        }
        (values, characters) = (values + more_values, characters + more_characters);
        batches.last_mut().expect("the first change begins a batch").push(change);
    }
    batches
}

/// Values, and characters in them.
fn size(change: &Change) -> (usize, usize) {
    let of = |edit: &Edit| match &edit.record().data {
        Data::Alias { to, .. } => (1, to.as_str().len()),
        Data::Values { values, .. } => (values.len(), values.iter().map(|value| value.len()).sum()),
    };
    change
        .edits
        .iter()
        .map(of)
        .fold((0, 0), |(values, characters), more| (values + more.0, characters + more.1))
}

/// Writes to one zone.
struct ZoneWriter<'a, R, M> {
    route53: &'a Paced<R>,
    zone: &'a Zone,
    may_write: &'a M,
    calls: usize,
    applied: &'a mut Applied,
}

impl<R: Route53, M: Fn() -> bool> ZoneWriter<'_, R, M> {
    /// Writes batches, and halves of those that are refused, until something else is wrong than a change.
    async fn write(&mut self, batches: Vec<Vec<&Change>>) {
        let mut left: Vec<Vec<&Change>> = batches.into_iter().rev().collect();
        while let Some(batch) = left.pop() {
            match self.write_one(&batch).await {
                Ok(()) => self.applied.done.extend(batch.into_iter().map(key)),
                Err(fault) if fault.kind == FaultKind::Refused => match &*batch {
                    [one] => self.applied.refused.push((key(one), fault)),
                    _ => {
                        let (first, second) = batch.split_at(batch.len() / 2);
                        left.extend([second.to_vec(), first.to_vec()]);
                    }
                },
                Err(fault) => {
                    self.applied.stopped.push((self.zone.clone(), fault));
                    return;
                }
            }
        }
    }

    async fn write_one(&mut self, batch: &[&Change]) -> Result<(), Fault> {
        let edits: Vec<&Edit> = batch.iter().flat_map(|change| &change.edits).collect();
        self.calls += 1;
        if self.calls > CALLS_MAX {
            return Err(Fault::new(
                FaultKind::Other,
                CALL,
                format!("more than {CALLS_MAX} calls; the rest waits"),
            ));
        }
        let (edits, may_write) = (&edits, self.may_write);
        self.route53.ask(|route53| write(route53, self.zone, edits, may_write)).await
    }
}

/// The one call that writes.
const CALL: &str = "ChangeResourceRecordSets";

/// Asked before each attempt: a pause may have taken longer than our time as the one that writes.
async fn write<R: Route53>(
    route53: &R,
    zone: &Zone,
    edits: &[&Edit],
    may_write: impl Fn() -> bool,
) -> Result<(), Fault> {
    if !may_write() {
        return Err(Fault::new(FaultKind::Other, CALL, "another replica writes now"));
    }
    route53.change(zone, edits).await
}
