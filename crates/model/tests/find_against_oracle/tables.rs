//! The table of some rules, and what it finds.

use std::sync::{Arc, LazyLock};

use model::{
    Conditions, HostMatch, PathMatch, Pattern, Policy, RequestCondition, Route, RouteTable,
    RouteTableBuilder, Share, Split, SplitRule, Target, ValueMatch, explain,
};

use super::requests::{Asked, Read};
use super::rules::{self, Condition, Kind, PATTERNS, Rule, Value};

/// More than any rule has backends.
const BACKENDS_PER_RULE: u32 = 4;

/// Compiled once: it costs more than all the rest.
static OF_PATHS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let compiled = PATTERNS.iter().map(|one| Pattern::of_path(one.written, one.ignore_case));
    compiled.map(|pattern| pattern.expect("a pattern")).collect()
});
static ENDS_WITH_B: LazyLock<Pattern> = LazyLock::new(|| Pattern::of_value("b$").expect("a pattern"));

pub(crate) fn build(rules: &[Rule]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    for rule in rules {
        let route = Route {
            host: HostMatch::parse(&rule.host).expect("a host"),
            path: path(rule),
            conditions: Conditions::new(rule.conditions.iter().copied().map(condition).collect()),
            target: target(rule),
            policy: Arc::new(Policy::default()),
            origin: rule.origin.clone(),
        };
        match rule.kind {
            Kind::Exact | Kind::Pattern | Kind::Prefix => builder.route(route),
            Kind::HostDefault => builder.default_for_host(route),
            Kind::CatchAll => builder.catch_all(route),
            Kind::Claim => builder.claim(route.host),
        }
    }
    builder.build(1)
}

/// The rule that the request is served by, and which of its backends.
pub(crate) fn find(table: &RouteTable, asked: &Asked<'_>) -> Option<(u32, u32)> {
    let facts = Read::new(asked);
    let route = table.find(&facts)?;
    let backend = route.target.choose(&facts, |total| asked.number % total)?;
    Some((id_of(route), backend % BACKENDS_PER_RULE))
}

/// The rule that serves the request by what `explain` says.
pub(crate) fn explained(table: &RouteTable, asked: &Asked<'_>) -> Option<u32> {
    explain(table, &Read::new(asked)).winner().map(|route| id_of(route))
}

/// The rule of a route: its backends tell.
pub(crate) fn id_of(route: &Route) -> u32 {
    route.target.backends().next().expect("a backend") / BACKENDS_PER_RULE
}

fn path(rule: &Rule) -> PathMatch {
    let path = match rule.kind {
        Kind::Exact => PathMatch::exact(&rule.path),
        Kind::Pattern => {
            let place =
                PATTERNS.iter().position(|one| one.written == rule.path).expect("one of the patterns");
            return PathMatch::Pattern(OF_PATHS[place].clone());
        }
        _ => PathMatch::prefix(&rule.path),
    };
    path.expect("a path")
}

fn target(rule: &Rule) -> Target {
    let at = |backend: u32| rule.id * BACKENDS_PER_RULE + backend;
    let rules::Target { rules, shares } = &rule.target;
    let rules =
        rules.iter().map(|(one, backend)| SplitRule { condition: condition(*one), backend: at(*backend) });
    let shares = shares.iter().map(|(backend, weight)| Share { backend: at(*backend), weight: *weight });
    let split = Split::new(rules.collect(), shares.collect());
    split.map_or(Target::Backend(at(0)), |split| Target::Split(Box::new(split)))
}

fn condition(condition: Condition) -> RequestCondition {
    let name = || "a".into();
    let value = |value| match value {
        Value::Is(value) => ValueMatch::Exact(value.into()),
        Value::EndsWithB => ValueMatch::Pattern(ENDS_WITH_B.clone()),
    };
    match condition {
        Condition::Method(method) => RequestCondition::Method(method.into()),
        Condition::Header(expected) => RequestCondition::Header { name: name(), value: value(expected) },
        Condition::Query(expected) => RequestCondition::Query { name: name(), value: value(expected) },
        Condition::Cookie(expected) => RequestCondition::Cookie { name: name(), value: value(expected) },
    }
}
