//! What rules mean, told without a hash map: all of them are looked at, and the best one serves.

use super::requests::{Asked, Request};
use super::rules::{Condition, Kind, Rule, Target, Value, without_final_slash};

/// The rule that serves the request, and which of its backends: of those of the most specific host that match it, the best.
pub(crate) fn oracle(rules: &[Rule], asked: &Asked<'_>) -> Option<(u32, u32)> {
    let hosts = rules.iter().map(|rule| (rule, host_specificity(&rule.host, &asked.request.labels)));
    let concerned: Vec<(&Rule, u8)> = hosts.filter_map(|(rule, host)| Some((rule, host?))).collect();
    let is_catch_all = |rule: &Rule| rule.kind == Kind::CatchAll;
    let chosen = concerned.iter().filter(|(rule, _)| !is_catch_all(rule)).map(|(_, host)| *host).max();
    let deciding = concerned.iter().filter(|(rule, host)| is_catch_all(rule) || Some(*host) == chosen);
    let holding =
        deciding.filter(|(rule, _)| rule.conditions.iter().all(|condition| holds(*condition, asked)));
    let mut matching: Vec<_> =
        holding.filter_map(|(rule, _)| Some((rank(rule, asked.request)?, *rule))).collect();
    matching.sort_by(|(a, first), (b, second)| {
        let by_path = b.cmp(a).then_with(|| pattern(second).cmp(&pattern(first)));
        let by_conditions = by_path.then_with(|| counts(second).cmp(&counts(first)));
        by_conditions.then_with(|| first.age().cmp(&second.age()))
    });
    matching.first().map(|(_, rule)| (rule.id, backend(&rule.target, asked)))
}

/// How well a rule matches the path, greater is better; `None` if it does not. A rule goes before its host's default, that
/// before the catch-all one, and of rules: Exact, then patterns, then Prefix; and then the longer one.
fn rank(rule: &Rule, request: &Request) -> Option<(u8, usize)> {
    match rule.kind {
        Kind::Exact => (rule.path == request.path).then_some((4, rule.path.len())),
        Kind::Pattern => (rule.pattern().matches)(&request.path).then_some((3, rule.path.len())),
        // The final slash of a prefix counts for nothing, not even for its length.
        Kind::Prefix => {
            is_element_prefix(&rule.path, &request.path).then_some((2, without_final_slash(&rule.path).len()))
        }
        Kind::HostDefault => Some((1, 0)),
        Kind::CatchAll => Some((0, 0)),
        Kind::Claim => None,
    }
}

/// Of patterns of the same length the greater one is asked first.
fn pattern(rule: &Rule) -> Option<&str> {
    (rule.kind == Kind::Pattern).then_some(&rule.path)
}

/// Those with a method, then those with more header fields, parameters, cookies.
fn counts(rule: &Rule) -> [usize; 4] {
    let count = |is: fn(&Condition) -> bool| rule.conditions().iter().filter(|one| is(one)).count();
    [
        count(|one| matches!(one, Condition::Method(_))),
        count(|one| matches!(one, Condition::Header(_))),
        count(|one| matches!(one, Condition::Query(_))),
        count(|one| matches!(one, Condition::Cookie(_))),
    ]
}

fn holds(condition: Condition, asked: &Asked<'_>) -> bool {
    let (value, found) = match condition {
        Condition::Method(method) => return method == asked.method,
        Condition::Header(value) => (value, asked.header.1),
        Condition::Query(value) => (value, asked.query.1),
        Condition::Cookie(value) => (value, asked.cookie.1),
    };
    found.is_some_and(|found| match value {
        Value::Is(expected) => found == expected,
        Value::EndsWithB => found.ends_with('b'),
    })
}

/// The first rule of the target that holds decides; else each backend stands in a row as often as it weighs.
fn backend(target: &Target, asked: &Asked<'_>) -> u32 {
    let rule = target.rules.iter().find(|(condition, _)| holds(*condition, asked));
    let row: Vec<u32> =
        target.shares.iter().flat_map(|(backend, weight)| vec![*backend; *weight as usize]).collect();
    let by_chance = || row.get(asked.number as usize % row.len().max(1)).copied();
    rule.map(|(_, backend)| *backend).or_else(by_chance).unwrap_or(0)
}

fn host_specificity(rule: &str, request: &[String]) -> Option<u8> {
    if rule.is_empty() {
        return Some(0);
    }
    let rule = rule.to_lowercase();
    let mut labels = rule.split('.').zip(request);
    let same_count = rule.split('.').count() == request.len();
    let same_labels = labels.all(|(rule, request)| rule == "*" || rule == request);
    (same_count && same_labels).then_some(if rule.starts_with('*') { 1 } else { 2 })
}

fn is_element_prefix(rule: &str, request: &str) -> bool {
    let mut request = request.split('/').skip(1);
    let elements = without_final_slash(rule).split('/').skip(1);
    elements.map(Some).all(|element| element == request.next())
}
