//! Which load balancers are ours, and where this node is to be registered at them.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetTypeEnum};

use super::calls::Found;
use super::fault::{Fault, Kind as FaultKind};
use super::{At, Calls, Kind, Place, Selector, Target};
use crate::target::{Frontends, Scheme};

/// Places at which one node is registered; far more than anybody has, and a bound on calls.
const PLACES_MAX: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Discovery {
    /// Where this node is to be registered, by name.
    pub(super) places: Vec<Place>,
    /// Where DNS leads.
    pub(super) frontends: Frontends,
    /// What is not as it should be, in words.
    pub(super) notes: Vec<String>,
}

/// Asks AWS for all that is ours.
///
/// # Errors
/// If AWS cannot be asked; what was known before is then still so.
pub(super) async fn discover(calls: &Calls, selector: &Selector) -> Result<Discovery, Fault> {
    let all = calls.balancers().await?;
    let tags = if selector.tags.is_empty() { vec![Vec::new(); all.len()] } else { calls.tags(&all).await? };
    let is_ours = |(found, tags): &(&Found, &Vec<(String, String)>)| {
        selector.is_named(&found.name, found.arn.as_deref()) || selector.is_tagged(tags)
    };
    let ours: Vec<&Found> = all.iter().zip(&tags).filter(is_ours).map(|(found, _)| found).collect();
    let mut discovery = Discovery { notes: missing(selector, &all, &calls.region), ..Discovery::default() };
    for found in &ours {
        discovery.add_balancer(calls, found).await?;
    }
    for asked in &selector.groups {
        discovery.add_group(calls, asked, &all).await?;
    }
    discovery.finish(calls, selector).await?;
    Ok(Discovery { frontends: frontends(&ours, &mut discovery.notes), ..discovery })
}

impl Discovery {
    async fn add_balancer(&mut self, calls: &Calls, found: &Found) -> Result<(), Fault> {
        let Some(arn) = &found.arn else {
            let at = At::Classic(found.name.clone());
            self.places.push(Place {
                at,
                kind: found.kind,
                name: found.name.clone(),
                scheme: found.scheme.parse().ok(),
                drain_time: None,
            });
            return Ok(());
        };
        let groups = calls.groups_of(arn).await?;
        if groups.is_empty() {
            self.notes.push(format!("{} {} has no target group", found.kind.as_str(), found.name));
        }
        groups.iter().for_each(|group| self.add_target_group(group, Some(found)));
        Ok(())
    }

    async fn add_group(&mut self, calls: &Calls, asked: &str, all: &[Found]) -> Result<(), Fault> {
        let group = match calls.group(asked).await {
            Err(fault) if fault.is_not_found() => None,
            group => group?,
        };
        let Some(group) = group else {
            self.notes.push(format!("there is no target group {asked} in {}", calls.region));
            return Ok(());
        };
        let uses =
            |found: &&Found| found.arn.as_ref().is_some_and(|arn| group.load_balancer_arns().contains(arn));
        self.add_target_group(&group, all.iter().find(uses));
        Ok(())
    }

    fn add_target_group(&mut self, group: &TargetGroup, found: Option<&Found>) {
        let (Some(arn), name) = (group.target_group_arn(), group.target_group_name().unwrap_or_default())
        else {
            return;
        };
        let target = match group.target_type() {
            Some(TargetTypeEnum::Instance) => Target::Instance,
            Some(TargetTypeEnum::Ip) => Target::Address,
            other => {
                let other = other.map_or("unknown", TargetTypeEnum::as_str);
                self.notes.push(format!(
                    "target group {name} takes targets of type {other}: make it one of instance or ip"
                ));
                return;
            }
        };
        let (kind, balancer) = found.map_or((Kind::Unused, None), |it| (it.kind, Some(&it.name)));
        self.places.push(Place {
            at: At::Group(arn.to_owned(), target),
            kind,
            name: balancer.map_or_else(|| name.to_owned(), |balancer| format!("{balancer}/{name}")),
            scheme: found.and_then(|found| found.scheme.parse().ok()),
            drain_time: None,
        });
    }

    /// Reads how long each drains. That it cannot be read costs only a longer wait.
    async fn finish(&mut self, calls: &Calls, selector: &Selector) -> Result<(), Fault> {
        self.places.sort_by(|one, other| (&one.name, one.at.id()).cmp(&(&other.name, other.at.id())));
        self.places.dedup_by(|one, other| one.at == other.at);
        if self.places.len() > PLACES_MAX {
            let why = format!("{} are found, and {PLACES_MAX} may be: ask for fewer", self.places.len());
            return Err(Fault::new("load balancers and target groups", FaultKind::Other, why));
        }
        if self.places.is_empty() {
            let (asked, region) = (selector.words(), &calls.region);
            self.notes.push(format!("no load balancer in {region} is ours: {asked}"));
        }
        for place in &mut self.places {
            let drain_time = match &place.at {
                At::Classic(name) => calls.connection_draining(name).await.map(Some),
                At::Group(arn, _) => calls.deregistration_delay(arn).await,
            };
            match drain_time {
                Ok(drain_time) => place.drain_time = drain_time,
                Err(fault) => self.notes.push(format!("how long {place} drains is not known: {fault}")),
            }
        }
        Ok(())
    }
}

/// Those that are named and are not there.
fn missing(selector: &Selector, all: &[Found], region: &str) -> Vec<String> {
    let is_there =
        |name: &&String| all.iter().any(|found| found.name == **name || found.arn.as_ref() == Some(*name));
    let names = selector.names.iter().filter(|name| !is_there(name));
    names.map(|name| format!("there is no load balancer {name} in {region}")).collect()
}

/// An alias leads to one load balancer: of several that share a scheme, to the first by name.
fn frontends(ours: &[&Found], notes: &mut Vec<String>) -> Frontends {
    let mut by_scheme: BTreeMap<Scheme, &Found> = BTreeMap::new();
    let mut ours = ours.to_vec();
    ours.sort_by(|one, other| one.name.cmp(&other.name));
    for found in ours {
        let Ok(scheme) = found.scheme.parse() else { continue };
        let first = *by_scheme.entry(scheme).or_insert(found);
        if first != found {
            notes.push(format!(
                "{} and {} are both {scheme}: this node is registered at both, and DNS leads to the first",
                first.name, found.name
            ));
        }
    }
    let dns = by_scheme.into_iter().map(|(scheme, found)| (scheme, found.dns.clone()));
    Frontends { by_scheme: dns.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::LoadBalancer;

    fn found(name: &str, scheme: &str) -> Found {
        let dns = LoadBalancer { dns_name: format!("{name}.aws"), zone_id: "Z".into(), dual_stack: false };
        Found { name: name.into(), arn: None, kind: Kind::Classic, scheme: scheme.into(), dns }
    }

    #[test]
    fn dns_leads_to_one_load_balancer_of_a_scheme_and_always_to_the_same() {
        let (one, other, inner) =
            (found("a", "internet-facing"), found("b", "internet-facing"), found("c", "internal"));
        let mut all = vec![&other, &inner, &one];
        for _ in 0..3 {
            let mut notes = Vec::new();
            let frontends = frontends(&all, &mut notes);
            assert_eq!(frontends.of(Scheme::InternetFacing).unwrap().dns_name, "a.aws");
            assert_eq!(frontends.of(Scheme::Internal).unwrap().dns_name, "c.aws");
            assert_eq!(notes.len(), 1, "{notes:?}");
            all.rotate_left(1);
        }
    }

    #[test]
    fn a_named_load_balancer_that_is_not_there_is_told() {
        let selector = Selector { names: vec!["a".into(), "gone".into()], ..Selector::default() };
        let missing = missing(&selector, &[found("a", "internal")], "eu-west-1");
        assert_eq!(missing, ["there is no load balancer gone in eu-west-1"]);
    }
}
