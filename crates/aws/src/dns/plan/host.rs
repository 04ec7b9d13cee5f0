//! What one host takes in one zone.

use std::collections::BTreeSet;

use model::Problem;

use super::zone::ZoneView;
use super::{Action, Change, Edit, Led, Target, told};
use crate::dns::name::Name;
use crate::dns::ownership::{Claim, Owner, TXT_TTL, claim_in};
use crate::dns::record::{Kind, RecordSet};

/// What has to be changed for this host, or why nothing can be. `cnames` are the hosts of the zone that get a CNAME, `names`
/// all of them.
pub(super) fn change(
    view: &ZoneView<'_>,
    led: Led<'_>,
    cnames: &BTreeSet<&Name>,
    names: &BTreeSet<&Name>,
) -> Result<Option<Change>, Box<Problem>> {
    let name = &led.host.name;
    if let Some(fault) = name.fault() {
        return Err(told::bad_name(led.host, fault));
    }
    if name == &view.zone.name && matches!(led.target, Target::Name(_)) {
        return Err(told::apex(led.host));
    }
    if let Some(other) = view.ownership.sibling(name) {
        let is_wildcard = name.as_str().starts_with('*');
        if is_wildcard && names.contains(&other) || view.hosts_at(&other).next().is_some() {
            return Err(told::same_txt(led.host, &other));
        }
    }
    let mut wants = Wants {
        view,
        led,
        records: records(view, led),
        deletes: Vec::new(),
        creates: Vec::new(),
        action: None,
    };
    wants.hosts()?;
    wants.texts(cnames)?;
    Ok(wants.finish())
}

/// The records by which the host is found.
fn records(view: &ZoneView<'_>, led: Led<'_>) -> Vec<RecordSet> {
    let name = &led.host.name;
    match led.target {
        Target::LoadBalancer(balancer) => {
            let kinds = [Kind::A, Kind::Aaaa].into_iter().take(if balancer.dual_stack { 2 } else { 1 });
            kinds.map(|kind| RecordSet::alias(name, kind, balancer)).collect()
        }
        Target::Name(to) => vec![RecordSet::value(name, Kind::Cname, view.settings.ttl, to.as_str())],
    }
}

/// What a host wants, and what that takes.
struct Wants<'a, 'b> {
    view: &'b ZoneView<'a>,
    led: Led<'b>,
    records: Vec<RecordSet>,
    deletes: Vec<RecordSet>,
    creates: Vec<RecordSet>,
    /// The weightiest thing that is done.
    action: Option<(Action, String)>,
}

impl Wants<'_, '_> {
    fn name(&self) -> &Name {
        &self.led.host.name
    }

    /// The records by which hosts are found: what is there, and what is not.
    fn hosts(&mut self) -> Result<(), Box<Problem>> {
        let present: Vec<&RecordSet> = self.view.hosts_at(self.name()).collect();
        for record in &present {
            self.one_present(record)?;
        }
        for wanted in &self.records {
            if !present.iter().any(|record| record.kind == wanted.kind) {
                self.creates.push(wanted.clone());
            }
        }
        if !self.creates.is_empty() && self.action.is_none() {
            let why = format!(
                "{} has this host, and its scheme {} leads to {}",
                self.led.host.object, self.led.host.scheme, self.led.target
            );
            self.action = Some((Action::Create, why));
        }
        self.alone_with_a_cname()
    }

    fn one_present(&mut self, record: &RecordSet) -> Result<(), Box<Problem>> {
        let host = self.led.host;
        if record.policy.is_some() {
            return Err(told::by_policy(host, record));
        }
        let wanted = self.records.iter().find(|wanted| wanted.kind == record.kind);
        let is_right = wanted.is_some_and(|wanted| wanted.answers_as(record));
        match self.view.ownership.of(record) {
            Owner::Us if is_right || self.leads_there(record) => Ok(()),
            Owner::Us => {
                self.replace(record, wanted.cloned());
                Ok(())
            }
            Owner::None if is_right && self.view.settings.adopt => {
                self.action.get_or_insert((
                    Action::Adopt,
                    "it is as it should be, has no owner, and --dns-adopt says that it is to be ours".into(),
                ));
                Ok(())
            }
            Owner::None if is_right => Err(told::unowned(host, record)),
            owner => Err(told::taken(host, record, &owner, self.view)),
        }
    }

    /// Whether an AAAA that nothing asks for leads to the load balancer in any case: external-dns writes one for each.
    fn leads_there(&self, record: &RecordSet) -> bool {
        let as_a = RecordSet { kind: Kind::A, ..record.clone() };
        record.kind == Kind::Aaaa && self.records.iter().any(|wanted| wanted.answers_as(&as_a))
    }

    fn replace(&mut self, record: &RecordSet, with: Option<RecordSet>) {
        let why = format!(
            "it leads to {}, and scheme {} to {}",
            record.data, self.led.host.scheme, self.led.target
        );
        self.action = Some((Action::Replace, why));
        self.deletes.push(record.clone());
        self.creates.extend(with);
        // A TXT that speaks of a type which the host will not have any more.
        let has = |kind: &Option<Kind>| match kind {
            Some(kind) => self.records.iter().any(|wanted| wanted.kind == *kind),
            None => self.records.iter().all(|wanted| wanted.kind != Kind::Cname),
        };
        let stale = self.view.ownership.ours_on(self.name()).filter(|(kind, _)| !has(kind));
        let stale: Vec<&RecordSet> = stale.map(|(_, spoken)| spoken.txt).collect();
        for txt in stale {
            if !self.deletes.contains(txt) {
                self.deletes.push(txt.clone());
            }
        }
    }

    /// Beside a CNAME a name can have nothing else (RFC 1034 §3.6.2).
    fn alone_with_a_cname(&self) -> Result<(), Box<Problem>> {
        let wants_cname = self.creates.iter().any(|record| record.kind == Kind::Cname);
        let mut others = self.view.at(self.name()).iter().filter(|record| !self.deletes.contains(record));
        match others.next() {
            Some(other) if wants_cname => Err(told::beside_cname(self.led.host, other)),
            _ => Ok(()),
        }
    }

    /// The TXT records that say that these are ours.
    fn texts(&mut self, cnames: &BTreeSet<&Name>) -> Result<(), Box<Problem>> {
        let (host, view) = (self.led.host, self.view);
        let object = &host.object;
        let resource = format!("{}/{}/{}", object.kind.to_ascii_lowercase(), object.namespace, object.name);
        let value = Claim { owner: view.settings.owner.clone(), resource: Some(resource) }.write();
        for wanted in &self.records {
            let place = view.ownership.place(&host.name, &wanted.kind);
            let is_there = view
                .at(&place)
                .iter()
                .find(|record| record.kind == Kind::Txt && !self.deletes.contains(record));
            if let Some(txt) = is_there {
                check_ours(view, self.led, txt)?;
                continue;
            }
            check_place(view, self.led, wanted, &place, cnames)?;
            let txt = RecordSet::value(&place, Kind::Txt, TXT_TTL, &value);
            if !self.creates.contains(&txt) {
                self.creates.push(txt);
            }
        }
        if !self.creates.is_empty() && self.action.is_none() {
            self.action =
                Some((Action::Claim, "its TXT record has a name of an older format of external-dns".into()));
        }
        Ok(())
    }

    fn finish(self) -> Option<Change> {
        let (action, reason) = self.action?;
        let deletes = self.deletes.into_iter().map(Edit::Delete);
        let edits: Vec<Edit> = deletes.chain(self.creates.into_iter().map(Edit::Create)).collect();
        let (zone, name) = (self.view.zone.clone(), self.led.host.name.clone());
        (!edits.is_empty()).then_some(Change { zone, name, action, reason, edits })
    }
}

/// Whether a TXT where ours is to be is that.
fn check_ours(view: &ZoneView<'_>, led: Led<'_>, txt: &RecordSet) -> Result<(), Box<Problem>> {
    let is_ours = claim_in(txt).is_some_and(|claim| claim.owner == view.settings.owner);
    match is_ours && txt.policy.is_none() && !view.ownership.is_doubtful(txt) {
        true => Ok(()),
        false => Err(told::txt_taken(led.host, txt)),
    }
}

/// Whether a TXT can be where it is to be, and would be read there as what it is.
fn check_place(
    view: &ZoneView<'_>,
    led: Led<'_>,
    wanted: &RecordSet,
    place: &Name,
    cnames: &BTreeSet<&Name>,
) -> Result<(), Box<Problem>> {
    if let Some(fault) = place.fault() {
        return Err(told::bad_txt_name(led.host, place, fault));
    }
    let has_cname = cnames.contains(place) || view.at(place).iter().any(|record| record.kind == Kind::Cname);
    let plain = view.settings.format.without_wildcard(&led.host.name);
    let is_read = view.settings.format.speaks_of(place).is_some_and(|(name, kind)| {
        name == plain && (kind.as_ref() == Some(&wanted.kind) || kind.is_none() && *place == led.host.name)
    });
    match has_cname || !is_read || view.ownership.is_ambiguous(place) {
        true => Err(told::no_place(led.host, place)),
        false => Ok(()),
    }
}
