//! A zone as a plan sees it, and which zones a host belongs to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Settings, Zone, ZoneRecords};
use crate::dns::name::Name;
use crate::dns::ownership::{Owner, Ownership};
use crate::dns::record::{Kind, RecordSet};

/// The record sets of a zone by name.
pub(super) type ByName<'a> = BTreeMap<&'a Name, Vec<&'a RecordSet>>;

/// A zone, what is in it and whose that is.
pub(super) struct ZoneView<'a> {
    pub(super) zone: &'a Zone,
    pub(super) ownership: Ownership<'a>,
    pub(super) settings: &'a Settings,
    by_name: &'a ByName<'a>,
}

impl<'a> ZoneView<'a> {
    pub(super) fn index(zone: &'a ZoneRecords) -> ByName<'a> {
        let mut by_name = ByName::new();
        for record in &zone.records {
            by_name.entry(&record.name).or_default().push(record);
        }
        by_name
    }

    pub(super) fn new(
        zone: &'a ZoneRecords,
        by_name: &'a ByName<'a>,
        settings: &'a Settings,
    ) -> ZoneView<'a> {
        let ownership = Ownership::read(&settings.format, &settings.owner, &zone.zone.name, by_name);
        ZoneView { zone: &zone.zone, ownership, settings, by_name }
    }

    /// What is at a name.
    pub(super) fn at(&self, name: &Name) -> &[&'a RecordSet] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is at a name and lets a host be found.
    pub(super) fn hosts_at(&self, name: &Name) -> impl Iterator<Item = &'a RecordSet> {
        self.at(name).iter().copied().filter(|record| Kind::OF_HOSTS.contains(&record.kind))
    }

    /// How many names have records of ours.
    pub(super) fn owned(&self) -> usize {
        let names: BTreeSet<Name> = self.ownership.our_names().collect();
        let ours = |name: &&Name| self.hosts_at(name).any(|record| self.ownership.of(record) == Owner::Us);
        names.iter().filter(ours).count()
    }
}

/// Of the public zones, and of the private ones, those with the longest name that this host is in: clients of both kinds of
/// networks have to find it.
pub(super) fn zones_of(name: &Name, views: &[ZoneView<'_>]) -> Vec<usize> {
    let mut found = Vec::new();
    for is_private in [false, true] {
        let of_kind = |view: &ZoneView<'_>| view.zone.is_private == is_private && name.is_in(&view.zone.name);
        let length = |view: &ZoneView<'_>| view.zone.name.as_str().len();
        let longest = views.iter().filter(|view| of_kind(view)).map(length).max();
        let at = |(at, view): (usize, &ZoneView<'_>)| {
            (of_kind(view) && Some(length(view)) == longest).then_some(at)
        };
        found.extend(views.iter().enumerate().filter_map(at));
    }
    found
}
