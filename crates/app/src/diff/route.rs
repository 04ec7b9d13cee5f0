//! The routes of two tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Policy, Route, RouteTable, Target};

use super::{Change, Kind, Weight};

/// Routes that come, go, or do something else. A route is known by the requests that it is for; one that goes while another comes
/// from the same place in the same object has changed those.
pub(super) fn between(before: &RouteTable, after: &RouteTable) -> Vec<Change> {
    let (mut old, mut new) = (by_match(before), by_match(after));
    let mut changes = Vec::new();
    let both: Vec<String> = old.keys().filter(|key| new.contains_key(*key)).cloned().collect();
    for key in both {
        if let (Some(was), Some(is)) = (old.remove(&key), new.remove(&key)) {
            changes.extend(changed(&key, (&was, before), (&is, after)));
        }
    }
    for (key, is) in new {
        let place = |route: &Arc<Route>| (Arc::clone(&route.origin.object), Arc::clone(&route.origin.field));
        let from = old.iter().find(|(_, was)| place(was) == place(&is)).map(|(key, _)| key.clone());
        match from.and_then(|from| old.remove_entry(&from)) {
            Some((from, was)) => {
                changes.push(Change::new(
                    Weight::Warning,
                    Kind::Changed,
                    &from,
                    format!("matches {key} instead"),
                ));
                changes.extend(changed(&key, (&was, before), (&is, after)));
            }
            None => {
                let text = format!("{}, by {}", described(&is, after), is.origin);
                changes.push(Change::new(Weight::Plain, Kind::Added, key, text));
            }
        }
    }
    changes.extend(old.into_iter().map(|(key, was)| {
        let text = format!("it led to {}, by {}", target(&was, before), was.origin);
        Change::new(Weight::Warning, Kind::Removed, key, text)
    }));
    changes
}

fn by_match(table: &RouteTable) -> BTreeMap<String, Arc<Route>> {
    table.routes().iter().map(|route| (matched(route, table), Arc::clone(route))).collect()
}

/// The requests that a route is for.
fn matched(route: &Arc<Route>, table: &RouteTable) -> String {
    let conditions: String = route.conditions.iter().map(|condition| format!(", {condition}")).collect();
    match table.is_default(route) {
        true => format!("{} default backend{conditions}", route.host),
        false => format!("{} {}{conditions}", route.host, route.path),
    }
}

type Of<'a> = (&'a Arc<Route>, &'a RouteTable);

fn changed(key: &str, (was, before): Of<'_>, (is, after): Of<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |weight, text| changes.push(Change::new(weight, Kind::Changed, key, text));
    if was.origin.object != is.origin.object {
        change(Weight::Warning, format!("{} serves it, and no longer {}", is.origin, was.origin));
    }
    let targets = (target(was, before), target(is, after));
    if targets.0 != targets.1 {
        change(Weight::Warning, format!("leads to {}, and no longer to {}", targets.1, targets.0));
    }
    if !was.policy.denies() && is.policy.denies() {
        change(Weight::Warning, "every request is answered 503".into());
        return changes;
    }
    for guard in was.policy.guards().filter(|guard| !is.policy.guards().any(|other| other == *guard)) {
        change(Weight::Warning, format!("is no longer guarded by {guard}"));
    }
    let (old, new) = (said(&was.policy), said(&is.policy));
    let gone = old.iter().filter(|text| !new.contains(text) && !is_guard(&was.policy, text));
    for text in gone {
        change(Weight::Plain, format!("no longer {text}"));
    }
    for text in new.iter().filter(|text| !old.contains(text)) {
        change(Weight::Plain, format!("now {text}"));
    }
    if let (Some(old), Some(new)) = (&was.policy.edge, &is.policy.edge) {
        changes.extend(new.beside(old).map(|(word, value)| {
            Change::new(Weight::Plain, Kind::Changed, key, format!("now {word}: {value}"))
        }));
    }
    if changes.is_empty() && was.policy != is.policy {
        changes.push(Change::new(
            Weight::Plain,
            Kind::Changed,
            key,
            "something of its policy that has no words",
        ));
    }
    changes
}

fn is_guard(policy: &Policy, text: &str) -> bool {
    policy.guards().any(|guard| guard.to_string() == text)
}

/// What applies to a route, in words.
fn said(policy: &Policy) -> Vec<String> {
    let filters = policy.filters.iter().flat_map(|filters| {
        let request = filters.request().iter().map(ToString::to_string);
        request.chain(filters.response().iter().map(ToString::to_string))
    });
    let times = policy.timeouts.words().map(|(word, time)| format!("{word} timeout {time:?}"));
    let counts = policy.retry.words().map(|(word, count)| format!("{word} {count}"));
    let body = policy.request_body_max.map(|most| format!("a body of up to {most} bytes"));
    let balance = std::iter::once(format!("balance {}", policy.balance.as_str()));
    filters.chain(times).chain(counts).chain(body).chain(balance).collect()
}

fn described(route: &Route, table: &RouteTable) -> String {
    let filters: Vec<String> = said(&route.policy);
    format!("leads to {} with {}", target(route, table), filters.join(", "))
}

fn target(route: &Route, table: &RouteTable) -> String {
    let name = |place: u32| table.backend_at(place).key.to_string();
    match &route.target {
        Target::Backend(place) => name(*place),
        Target::Nothing => "no backend".into(),
        Target::Split(split) => {
            let rules =
                split.rules().iter().map(|rule| format!("{} if {}", name(rule.backend), rule.condition));
            let shares = split.shares().iter().filter(|share| share.weight > 0);
            let shares = shares
                .map(|share| format!("{} for {} of {}", name(share.backend), share.weight, split.total()));
            rules.chain(shares).collect::<Vec<_>>().join(", ")
        }
    }
}
