//! Which records are ours: a TXT record beside each says so, in the formats of external-dns, so that users can move either way.
//!
//! The rules are those of external-dns' TXT registry as of 2026-08
//! (<https://github.com/kubernetes-sigs/external-dns/blob/master/docs/registry/txt.md>): a record's TXT is named after it and
//! its type (`a-shop.example.com`, or as a prefix or suffix with `%{record_type}` says), before v0.12 after it alone; that of
//! an alias A once began with `cname-`. One that is encrypted cannot be read, and what it stands for is not ours.
//!
//! These names are ambiguous: `a-shop.example.com` may speak of the A of `shop`, or by the old rules of what is at
//! `a-shop`. Where both could be, neither is ours.

mod claim;
mod format;

use std::collections::BTreeMap;

use super::name::Name;
use super::record::{Data, Kind, RecordSet};

pub use claim::Claim;
pub(super) use claim::{TXT_TTL, may_be_encrypted};
pub use format::TxtFormat;

/// What a TXT record speaks of: a name, and the type if it tells one.
pub(super) type Key = (Name, Option<Kind>);

/// Whose a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Ours.
    Us,
    /// This one's.
    Other(String),
    /// Nothing says whose.
    None,
    /// This TXT record may say it, or speak of another one.
    Doubtful(Name),
}

/// What the TXT records of a zone say.
pub(super) struct Ownership<'a> {
    format: &'a TxtFormat,
    us: &'a str,
    zone: &'a Name,
    claims: BTreeMap<Key, Spoken<'a>>,
    /// The record sets of the zone, by name.
    by_name: &'a BTreeMap<&'a Name, Vec<&'a RecordSet>>,
}

/// A claim and where it stands.
pub(super) struct Spoken<'a> {
    pub(super) claim: Claim,
    pub(super) txt: &'a RecordSet,
}

impl<'a> Ownership<'a> {
    /// Reads the TXT records of a zone.
    pub(super) fn read(
        format: &'a TxtFormat,
        us: &'a str,
        zone: &'a Name,
        by_name: &'a BTreeMap<&'a Name, Vec<&'a RecordSet>>,
    ) -> Ownership<'a> {
        let mut claims = BTreeMap::new();
        let texts =
            by_name.values().flatten().filter(|record| record.kind == Kind::Txt && record.policy.is_none());
        for txt in texts {
            let Some(claim) = claim_in(txt) else { continue };
            if let Some(key) = format.speaks_of(&txt.name) {
                claims.insert(key, Spoken { claim, txt });
            }
        }
        Ownership { format, us, zone, claims, by_name }
    }

    /// Whose this record is.
    pub(super) fn of(&self, record: &RecordSet) -> Owner {
        let Some(spoken) = self.spoken_of(record) else { return Owner::None };
        if self.is_doubtful(spoken.txt) {
            return Owner::Doubtful(spoken.txt.name.clone());
        }
        if spoken.claim.owner == self.us { Owner::Us } else { Owner::Other(spoken.claim.owner.clone()) }
    }

    /// The claim on a record, in the order in which external-dns looks for one.
    fn spoken_of(&self, record: &RecordSet) -> Option<&Spoken<'a>> {
        let name = self.format.without_wildcard(&record.name);
        let at = |kind: Option<Kind>| self.claims.get(&(name.clone(), kind));
        let legacy_alias = record.kind == Kind::A && record.is_alias();
        let untyped = record.kind != Kind::Aaaa || self.place(&record.name, &Kind::Aaaa) == record.name;
        at(Some(record.kind.clone()))
            .or_else(|| if legacy_alias { at(Some(Kind::Cname)) } else { None })
            .or_else(|| if untyped { at(None) } else { None })
    }

    /// Where the TXT for a record of this type is to stand: where external-dns has it or, if that is outside of the zone, as it
    /// is for the zone's own name, at the name itself, as external-dns once had it.
    pub(super) fn place(&self, name: &Name, kind: &Kind) -> Name {
        let usual = self.format.txt_name(name, kind);
        if usual.is_in(self.zone) { usual } else { name.clone() }
    }

    /// Our claims on anything of this name.
    pub(super) fn ours_on(&self, name: &Name) -> impl Iterator<Item = (&Option<Kind>, &Spoken<'a>)> {
        let name = self.format.without_wildcard(name);
        let kinds = [None, Some(Kind::A), Some(Kind::Aaaa), Some(Kind::Cname)];
        let found =
            kinds.into_iter().filter_map(move |kind| self.claims.get_key_value(&(name.clone(), kind)));
        let found =
            found.filter(|(_, spoken)| spoken.claim.owner == self.us && !self.is_doubtful(spoken.txt));
        found.map(|((_, kind), spoken)| (kind, spoken))
    }

    /// The names that we claim something of; a wildcard may have a word in its place in the claim.
    pub(super) fn our_names(&self) -> impl Iterator<Item = Name> {
        let ours = self.claims.iter().filter(|(_, spoken)| spoken.claim.owner == self.us);
        let hosts = |kind: &Option<Kind>| kind.as_ref().is_none_or(|kind| Kind::OF_HOSTS.contains(kind));
        let wildcard =
            |name: &Name| self.format.wildcard_of(name).filter(|name| self.by_name.contains_key(name));
        let names = ours.filter(move |((_, kind), _)| hosts(kind)).map(|((name, _), _)| name);
        names.flat_map(move |name| [Some(name.clone()), wildcard(name)].into_iter().flatten())
    }

    /// The other name that would have the same TXT record: a wildcard, or the name with the word in its place.
    pub(super) fn sibling(&self, name: &Name) -> Option<Name> {
        let plain = self.format.without_wildcard(name);
        if plain == *name { self.format.wildcard_of(name) } else { Some(plain) }
    }

    /// Whether this TXT says whose a record at that name is.
    pub(super) fn is_about(&self, txt: &RecordSet, name: &Name) -> bool {
        let said =
            |record: &&RecordSet| self.spoken_of(record).is_some_and(|spoken| std::ptr::eq(spoken.txt, txt));
        self.hosts_at(name).any(|record| said(&record))
    }

    fn hosts_at(&self, name: &Name) -> impl Iterator<Item = &'a RecordSet> {
        let records = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        records.iter().copied().filter(|record| Kind::OF_HOSTS.contains(&record.kind))
    }

    /// Whether a TXT record could speak of something else than it seems to: it has several values, or there are a wildcard and
    /// the name with the word in its place, or as [`Ownership::is_ambiguous`] says.
    pub(super) fn is_doubtful(&self, txt: &RecordSet) -> bool {
        if matches!(&txt.data, Data::Values { values, .. } if values.len() > 1)
            || self.is_ambiguous(&txt.name)
        {
            return true;
        }
        let Some((name, _)) = self.format.speaks_of(&txt.name) else { return false };
        self.sibling(&name).is_some_and(|other| self.is_about(txt, &name) && self.is_about(txt, &other))
    }

    /// Whether a TXT record of this name could, by the rules before v0.12, speak of a record that has no TXT of the later ones.
    pub(super) fn is_ambiguous(&self, txt: &Name) -> bool {
        let Some((name, Some(_))) = self.format.speaks_of(txt) else { return false };
        let Some(old) = self.format.spoke_of(txt).filter(|old| *old != name) else { return false };
        let key =
            |record: &RecordSet| (self.format.without_wildcard(&record.name), Some(record.kind.clone()));
        let mut spoken_of = self.hosts_at(&old).filter(|record| record.kind != Kind::Aaaa);
        spoken_of.any(|record| !self.claims.contains_key(&key(record)))
    }
}

/// The claim in a TXT record, if it has one.
pub(super) fn claim_in(txt: &RecordSet) -> Option<Claim> {
    match &txt.data {
        Data::Values { values, .. } => values.iter().find_map(|value| Claim::read(value)),
        Data::Alias { .. } => None,
    }
}
