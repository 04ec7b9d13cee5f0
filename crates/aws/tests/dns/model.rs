//! Route 53 as its documentation has it, in one process: strict where stand-ins are lax.
//!
//! Batches are made whole or not at all; a record is deleted only by all of its values; a CNAME is alone at its name; a set with
//! an identifier is none without; names are stored in lower case, with octal escapes, and listed by their labels from the
//! last one, 300 at a time with the identifier of the next. Calls can be made to fail before or after they had their effect.

mod batch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws::dns::api::{Fault, FaultKind, RecordPage, RecordStart, Route53, ZonePage};
use aws::dns::name::Name;
use aws::dns::plan::{Edit, Zone};
use aws::dns::record::{Kind, RecordSet};
use tokio::time::Instant;

use batch::changed;

const PAGE: usize = 300;
const ZONES_PAGE: usize = 100;

/// By the order in which they are listed.
type Key = (Vec<String>, String, Option<String>);

/// One account.
#[derive(Clone, Default)]
pub(crate) struct Model(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    zones: Vec<Zone>,
    records: BTreeMap<Box<str>, BTreeMap<Key, RecordSet>>,
    calls: Calls,
    /// What becomes of the next calls, the first of them last.
    next: Vec<Fails>,
    /// A batch that has any of these names is refused.
    poison: Vec<Name>,
    started: Option<Instant>,
    /// Records that somebody wrote meanwhile.
    intruders: Vec<(usize, RecordSet)>,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    /// It does not.
    Not,
    /// Before it had any effect.
    Before(FaultKind),
    /// After it: the answer is lost.
    After,
    /// It never ends, with or without effect: the process is ended meanwhile.
    Hang { has_effect: bool },
    /// Somebody writes a record of this name just before, if there is nothing of or about it.
    Intruder(&'static str),
}

/// Calls by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) zones: usize,
    pub(crate) records: usize,
    pub(crate) changes: usize,
}

impl Model {
    pub(crate) fn with_zones(zones: &[(&str, bool)]) -> Model {
        let model = Model::default();
        for (at, (name, is_private)) in zones.iter().enumerate() {
            let zone = Zone { id: format!("Z{at}").into(), name: Name::new(name), is_private: *is_private };
            model.state().records.insert(zone.id.clone(), BTreeMap::new());
            model.state().zones.push(zone);
        }
        model
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Puts a record in, as somebody else does by hand.
    pub(crate) fn put(&self, zone: usize, record: RecordSet) {
        let mut state = self.state();
        let id = state.zones[zone].id.clone();
        state.records.get_mut(&id).unwrap().insert(key(&record), record);
    }

    /// Takes everything out, as somebody else does by hand.
    pub(crate) fn clear(&self, zone: usize) {
        let mut state = self.state();
        let id = state.zones[zone].id.clone();
        state.records.insert(id, BTreeMap::new());
    }

    /// All that is in a zone.
    pub(crate) fn all(&self, zone: usize) -> Vec<RecordSet> {
        let state = self.state();
        state.records[&state.zones[zone].id].values().cloned().collect()
    }

    /// What is at a name.
    pub(crate) fn at(&self, zone: usize, name: &str) -> Vec<RecordSet> {
        let name = Name::new(name);
        self.all(zone).into_iter().filter(|record| record.name == name).collect()
    }

    pub(crate) fn calls(&self) -> Calls {
        self.state().calls
    }

    /// What becomes of the next calls.
    pub(crate) fn fail(&self, next: impl IntoIterator<Item = Fails>) {
        let mut next: Vec<Fails> = next.into_iter().collect();
        next.reverse();
        self.state().next = next;
    }

    /// Refuses any batch that has this name.
    pub(crate) fn poison(&self, name: &str) {
        self.state().poison.push(Name::new(name));
    }

    /// Calls a second, since the first.
    pub(crate) fn rate(&self) -> f64 {
        let state = self.state();
        let calls = state.calls.zones + state.calls.records + state.calls.changes;
        let took = state.started.map(|started| started.elapsed().as_secs_f64()).unwrap_or_default();
        calls as f64 / took.max(1.0)
    }

    /// The records that somebody wrote meanwhile, and their zones.
    pub(crate) fn intruders(&self) -> Vec<(usize, RecordSet)> {
        self.state().intruders.clone()
    }

    fn intrude(&self, name: &str) {
        let about = |record: &RecordSet| record.name.as_str().contains(name);
        if self.all(0).iter().any(about) {
            return;
        }
        let record = RecordSet::value(&Name::new(name), Kind::A, 60, "192.0.2.99");
        self.put(0, record.clone());
        self.state().intruders.push((0, record));
    }

    /// Counts a call, and what becomes of it.
    fn called(&self, count: impl Fn(&mut Calls) -> &mut usize) -> Fails {
        let mut state = self.state();
        state.started.get_or_insert_with(Instant::now);
        *count(&mut state.calls) += 1;
        let fails = state.next.pop().unwrap_or(Fails::Not);
        drop(state);
        if let Fails::Intruder(name) = fails {
            self.intrude(name);
        }
        fails
    }

    async fn call<T>(
        &self,
        call: &'static str,
        count: impl Fn(&mut Calls) -> &mut usize,
        effect: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self.called(count) {
            Fails::Not | Fails::Intruder(_) => effect(),
            Fails::Before(kind) => Err(Fault::new(kind, call, "injected")),
            Fails::After => effect().and_then(|_| Err(Fault::new(FaultKind::Unanswered, call, "lost"))),
            Fails::Hang { has_effect } => {
                if has_effect {
                    let _ = effect();
                }
                std::future::pending().await
            }
        }
    }
}

fn key(record: &RecordSet) -> Key {
    let labels = record.name.as_str().rsplit('.').map(str::to_owned).collect();
    (labels, record.kind.as_str().to_owned(), record.policy.as_deref().map(str::to_owned))
}

/// As Route 53 shows a name.
pub(crate) fn shown(name: &Name) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let octal = |c: char| if plain(c) { c.to_string() } else { format!("\\{:03o}", u32::from(c)) };
    name.as_str().chars().map(octal).collect::<String>() + "."
}

impl Route53 for Model {
    async fn zones(&self, from: Option<&str>) -> Result<ZonePage, Fault> {
        let list = || {
            let start: usize = from.map(|from| from.parse().unwrap()).unwrap_or_default();
            let zones: Vec<Zone> = self.state().zones.iter().skip(start).take(ZONES_PAGE).cloned().collect();
            let end = start + zones.len();
            let next = (end < self.state().zones.len()).then(|| end.to_string());
            Ok(ZonePage { zones, next })
        };
        self.call("ListHostedZones", |calls| &mut calls.zones, list).await
    }

    async fn records(&self, zone: &Zone, from: Option<&RecordStart>) -> Result<RecordPage, Fault> {
        let call = "ListResourceRecordSets";
        let list = || {
            let state = self.state();
            let all =
                state.records.get(&zone.id).ok_or_else(|| Fault::new(FaultKind::NoZone, call, "absent"))?;
            Ok(page(all, from))
        };
        self.call(call, |calls| &mut calls.records, list).await
    }

    async fn change(&self, zone: &Zone, edits: &[&Edit]) -> Result<(), Fault> {
        let call = "ChangeResourceRecordSets";
        let change = || {
            let mut state = self.state();
            let refused = |message: String| Fault::new(FaultKind::Refused, call, message);
            if let Some(edit) = edits.iter().find(|edit| state.poison.contains(&edit.record().name)) {
                return Err(refused(format!("{} is refused", edit.record())));
            }
            let all =
                state.records.get(&zone.id).ok_or_else(|| Fault::new(FaultKind::NoZone, call, "absent"))?;
            let changed = changed(all.clone(), zone, edits).map_err(refused)?;
            state.records.insert(zone.id.clone(), changed);
            Ok(())
        };
        self.call(call, |calls| &mut calls.changes, change).await
    }
}

fn page(all: &BTreeMap<Key, RecordSet>, from: Option<&RecordStart>) -> RecordPage {
    let start = from.map(|from| {
        let labels = Name::new(&from.name).as_str().rsplit('.').map(str::to_owned).collect();
        (labels, from.kind.clone(), from.identifier.clone())
    });
    let mut rest = all.iter().skip_while(|(key, _)| start.as_ref().is_some_and(|start| *key < start));
    // As it is written there, and read again.
    let stored = |record: &RecordSet| RecordSet { name: Name::new(&shown(&record.name)), ..record.clone() };
    let records = rest.by_ref().take(PAGE).map(|(_, record)| stored(record)).collect();
    let next = rest.next().map(|(_, record)| RecordStart {
        name: shown(&record.name),
        kind: record.kind.as_str().to_owned(),
        identifier: record.policy.as_deref().map(str::to_owned),
    });
    RecordPage { records, next }
}
