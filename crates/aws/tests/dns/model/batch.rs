//! A batch of changes, whole or not at all.

use std::collections::BTreeMap;

use aws::dns::plan::{Edit, Zone};
use aws::dns::record::{Data, Kind, RecordSet};

use super::{Key, key};

/// All edits, or why none.
pub(super) fn changed(
    mut all: BTreeMap<Key, RecordSet>,
    zone: &Zone,
    edits: &[&Edit],
) -> Result<BTreeMap<Key, RecordSet>, String> {
    check_size(edits)?;
    for edit in edits {
        let record = edit.record();
        if !record.name.is_in(&zone.name) || record.name.fault().is_some() {
            return Err(format!("{record} is not in {}", zone.name));
        }
        match edit {
            Edit::Delete(record) => {
                if all.get(&key(record)) != Some(record) {
                    return Err(format!("{record} was not found, or its values do not match"));
                }
                all.remove(&key(record));
            }
            Edit::Create(record) => {
                if all.contains_key(&key(record)) {
                    return Err(format!("{record} already exists"));
                }
                check_neighbours(&all, zone, record)?;
                all.insert(key(record), record.clone());
            }
        }
    }
    Ok(all)
}

fn check_size(edits: &[&Edit]) -> Result<(), String> {
    let (mut values, mut characters) = (0, 0);
    for edit in edits {
        match &edit.record().data {
            Data::Alias { to, .. } => (values, characters) = (values + 1, characters + to.as_str().len()),
            Data::Values { values: some, .. } => {
                values += some.len();
                characters += some.iter().map(|value| value.len()).sum::<usize>();
            }
        }
    }
    if values > 1000 || characters > 32_000 || edits.is_empty() {
        Err("the batch is too large".into())
    } else {
        Ok(())
    }
}

fn check_neighbours(all: &BTreeMap<Key, RecordSet>, zone: &Zone, record: &RecordSet) -> Result<(), String> {
    let same = all.values().filter(|other| other.name == record.name);
    for other in same.filter(|other| key(other) != key(record)) {
        if other.kind == Kind::Cname || record.kind == Kind::Cname {
            return Err(format!("{record} beside {other}"));
        }
        if other.kind == record.kind && (other.policy.is_none() || record.policy.is_none()) {
            return Err(format!("{record} beside sets with identifiers"));
        }
    }
    if record.kind == Kind::Cname && record.name == zone.name {
        Err("a CNAME at the apex".into())
    } else {
        Ok(())
    }
}
