//! The hosted zones, and all that is in them: the calls that even a cycle costs in which nothing changes.

use super::api::{Fault, FaultKind, Route53};
use super::name::Name;
use super::pace::Paced;
use super::plan::{Zone, ZoneRecords};

/// Most hosted zones that are read: ten times AWS' default limit for an account is far beyond what one cluster serves.
const ZONES_MAX: usize = 5_000;
/// Most record sets of a zone that are read: ten times AWS' default limit for a zone.
const RECORDS_MAX: usize = 100_000;

/// Which zones are ours to look at; all if nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneFilter {
    /// Their names or identifiers; any if empty.
    pub named: Vec<String>,
    /// Only private ones, or only public ones.
    pub is_private: Option<bool>,
}

impl ZoneFilter {
    fn has(&self, zone: &Zone) -> bool {
        let is_named = |named: &String| *named == *zone.id || Name::new(named) == zone.name;
        (self.named.is_empty() || self.named.iter().any(is_named))
            && self.is_private.is_none_or(|is_private| is_private == zone.is_private)
    }
}

/// Lists the zones that are asked for.
///
/// # Errors
/// If a call fails, or a zone that is named is not there.
pub async fn zones<R: Route53>(route53: &Paced<R>, filter: &ZoneFilter) -> Result<Vec<Zone>, Fault> {
    let (mut zones, mut from) = (Vec::new(), None::<String>);
    loop {
        let page = route53.ask(|route53| route53.zones(from.as_deref())).await?;
        zones.extend(page.zones);
        match page.next {
            Some(_) if zones.len() > ZONES_MAX => {
                return Err(too_many("ListHostedZones", "hosted zones", ZONES_MAX));
            }
            Some(next) => from = Some(next),
            None => break,
        }
    }
    zones.retain(|zone| filter.has(zone));
    let is_there =
        |named: &&String| zones.iter().any(|zone| **named == *zone.id || Name::new(named) == zone.name);
    if let Some(absent) = filter.named.iter().find(|named| !is_there(named)) {
        return Err(Fault::new(
            FaultKind::NoZone,
            "ListHostedZones",
            format!("{absent} is not among this account's"),
        ));
    }
    Ok(zones)
}

/// Lists all that is in a zone.
///
/// # Errors
/// If a call fails.
pub async fn records<R: Route53>(route53: &Paced<R>, zone: &Zone) -> Result<ZoneRecords, Fault> {
    let (mut records, mut from) = (Vec::new(), None);
    loop {
        let page = route53.ask(|route53| route53.records(zone, from.as_ref())).await?;
        records.extend(page.records);
        match page.next {
            Some(_) if records.len() > RECORDS_MAX => {
                return Err(too_many("ListResourceRecordSets", "record sets", RECORDS_MAX));
            }
            Some(next) => from = Some(next),
            None => return Ok(ZoneRecords { zone: zone.clone(), records }),
        }
    }
}

fn too_many(call: &'static str, what: &str, max: usize) -> Fault {
    Fault::new(FaultKind::Other, call, format!("there are more than {max} {what}"))
}
