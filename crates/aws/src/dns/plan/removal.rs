//! What is ours and no longer wanted.

use std::collections::BTreeSet;

use super::zone::ZoneView;
use super::{Action, Change, Edit};
use crate::dns::name::Name;
use crate::dns::ownership::Owner;
use crate::dns::record::{Kind, RecordSet};

/// The deletions in a zone in which these names may stay.
pub(super) fn changes(view: &ZoneView<'_>, wanted: &BTreeSet<Name>) -> Vec<Change> {
    let format = &view.settings.format;
    let claimed: BTreeSet<Name> = wanted.iter().map(|name| format.without_wildcard(name)).collect();
    // A TXT record alone may be for a wildcard that is to be written.
    let waits = |name: &Name| {
        view.hosts_at(name).next().is_none() && claimed.contains(&format.without_wildcard(name))
    };
    let ours: BTreeSet<Name> = view.ownership.our_names().collect();
    ours.iter()
        .filter(|name| !wanted.contains(name) && !waits(name))
        .filter_map(|name| change(view, name))
        .collect()
}

fn change(view: &ZoneView<'_>, name: &Name) -> Option<Change> {
    let hosts: Vec<&RecordSet> = view.hosts_at(name).collect();
    if hosts.iter().any(|record| record.policy.is_some()) {
        return None;
    }
    let (ours, others): (Vec<&RecordSet>, Vec<&RecordSet>) =
        hosts.into_iter().partition(|record| view.ownership.of(record) == Owner::Us);
    let other_kinds =
        view.at(name).iter().any(|record| !Kind::OF_HOSTS.contains(&record.kind) && record.kind != Kind::Txt);
    // One that tells no type may speak of the others, too.
    let goes = |kind: &Option<Kind>| kind.is_some() || others.is_empty() && !other_kinds;
    let other = view.ownership.sibling(name);
    let of_other = |txt: &RecordSet| other.as_ref().is_some_and(|other| view.ownership.is_about(txt, other));
    let texts = view.ownership.ours_on(name).filter(|(kind, spoken)| goes(kind) && !of_other(spoken.txt));
    let texts = texts.map(|(_, spoken)| spoken.txt);
    let reason = match &*ours {
        [] => "the TXT record speaks of a record that is gone",
        _ => "no Ingress has this host",
    };
    let edits: Vec<Edit> =
        ours.iter().copied().chain(texts).map(|record| Edit::Delete(record.clone())).collect();
    let change = Change {
        zone: view.zone.clone(),
        name: name.clone(),
        action: Action::Delete,
        reason: reason.into(),
        edits,
    };
    (!change.edits.is_empty()).then_some(change)
}
