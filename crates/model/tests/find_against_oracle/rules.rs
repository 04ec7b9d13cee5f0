//! What Ingresses and HTTPRoutes say, as they say it, and rules at random.

use std::collections::BTreeSet;

use fastrand::Rng;
use model::{ObjectRef, Origin};

const RULES_PER_TABLE_MAX: usize = 16;
/// Few words and values, so that rules ask for the same and requests have it.
const METHODS: [&str; 2] = ["GET", "POST"];
const VALUES: [&str; 3] = ["a", "b", "a b"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Exact,
    Pattern,
    Prefix,
    HostDefault,
    CatchAll,
    /// A rule of which nothing is served but its claim to the host.
    Claim,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) kind: Kind,
    pub(crate) host: String,
    /// The path; of a pattern how it is written.
    pub(crate) path: String,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) target: Target,
    pub(crate) origin: Origin,
    /// Tells the rule from all others of its table; its backends are told from others by it.
    pub(crate) id: u32,
}

/// Where a rule leads; its backends are counted from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) rules: Vec<(Condition, u32)>,
    /// A backend and its weight; the rule leads to backend 0 alone if there are none.
    pub(crate) shares: Vec<(u32, u32)>,
}

/// What must hold of a request. Every name is `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    Method(&'static str),
    Header(Value),
    Query(Value),
    Cookie(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Is(&'static str),
    /// The pattern `b$`.
    EndsWithB,
}

/// A pattern of paths, and what it means.
pub(crate) struct PathPattern {
    pub(crate) written: &'static str,
    pub(crate) ignore_case: bool,
    pub(crate) matches: fn(&str) -> bool,
}

pub(crate) const PATTERNS: [PathPattern; 8] = [
    PathPattern { written: "/a", ignore_case: false, matches: |path| path.starts_with("/a") },
    PathPattern { written: "/B", ignore_case: true, matches: |path| path.starts_with("/b") },
    PathPattern { written: "/C", ignore_case: false, matches: |_| false },
    PathPattern {
        written: "/.*/b$",
        ignore_case: false,
        matches: |path| path.len() > 2 && path.ends_with("/b"),
    },
    PathPattern { written: "^/ab$", ignore_case: false, matches: |path| path == "/ab" },
    PathPattern {
        written: "/([ab]+)(/|$)(.*)",
        ignore_case: true,
        matches: |path| path.split('/').nth(1).is_some_and(|first| !first.is_empty() && !first.contains('c')),
    },
    PathPattern {
        written: "/b/|/c",
        ignore_case: false,
        matches: |path| path.starts_with("/b/") || path.starts_with("/c"),
    },
    PathPattern { written: "/", ignore_case: false, matches: |_| true },
];

impl Rule {
    pub(crate) fn pattern(&self) -> &'static PathPattern {
        PATTERNS.iter().find(|pattern| pattern.written == self.path).expect("one of the patterns")
    }

    /// Each once.
    pub(crate) fn conditions(&self) -> BTreeSet<Condition> {
        self.conditions.iter().copied().collect()
    }

    pub(crate) fn is_default(&self) -> bool {
        is_default(self.kind)
    }

    /// What makes two rules conflict.
    pub(crate) fn place(&self) -> (String, &str, Kind, BTreeSet<Condition>) {
        let path = if self.kind == Kind::Prefix { without_final_slash(&self.path) } else { &self.path };
        (self.host.to_lowercase(), path, self.kind, self.conditions())
    }

    /// The order in which rules that match equally well are served.
    pub(crate) fn age(&self) -> (i64, &str, &str, u32) {
        let Origin { created, object, place, .. } = &self.origin;
        (*created, &object.namespace, &object.name, *place)
    }
}

pub(crate) fn without_final_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

pub(crate) fn random_rules(random: &mut Rng) -> Vec<Rule> {
    let count = random.usize(..=RULES_PER_TABLE_MAX);
    (0..).take(count).map(|id| random_rule(random, id)).collect()
}

fn random_rule(random: &mut Rng, id: u32) -> Rule {
    let kind = match random.u8(..18) {
        0 => Kind::HostDefault,
        1 => Kind::CatchAll,
        2 => Kind::Claim,
        3..=6 => Kind::Exact,
        7..=9 => Kind::Pattern,
        _ => Kind::Prefix,
    };
    let hosts = ["", "x", "*.x", "a.x", "A.X", "b.x", "*.a.x", "b.a.x", "*.b.a.x"];
    let host = if kind == Kind::CatchAll { "" } else { hosts[random.usize(..hosts.len())] };
    let path = match kind {
        Kind::Pattern => PATTERNS[random.usize(..PATTERNS.len())].written.into(),
        _ if is_default(kind) => "/".into(),
        _ => random_path(random),
    };
    let (namespace, name) = (["m", "n"][random.usize(..2)], ["p", "q", "r"][random.usize(..3)]);
    let origin = Origin {
        created: random.i64(..3),
        place: id,
        ..Origin::new(ObjectRef::new("Ingress", namespace, name), "spec")
    };
    // Most routes have no conditions, and lead to one backend.
    let count = if random.bool() { 0 } else { random.usize(..4) };
    let conditions = (0..count).map(|_| random_condition(random)).collect();
    Rule { kind, host: host.into(), path, conditions, target: random_target(random), origin, id }
}

fn random_condition(random: &mut Rng) -> Condition {
    let value = match random.usize(..=VALUES.len()) {
        0 => Value::EndsWithB,
        other => Value::Is(VALUES[other - 1]),
    };
    match random.u8(..4) {
        0 => Condition::Method(METHODS[random.usize(..METHODS.len())]),
        1 => Condition::Header(value),
        2 => Condition::Query(value),
        _ => Condition::Cookie(value),
    }
}

fn random_target(random: &mut Rng) -> Target {
    if random.bool() {
        return Target::default();
    }
    let rules = (0..random.usize(..3)).map(|_| (random_condition(random), random.u32(..3))).collect();
    // Some weigh nothing, but not all.
    let mut shares: Vec<(u32, u32)> =
        (0..random.usize(..3)).map(|_| (random.u32(..3), random.u32(..3))).collect();
    shares.insert(random.usize(..=shares.len()), (random.u32(..3), random.u32(1..4)));
    Target { rules, shares }
}

fn random_path(random: &mut Rng) -> String {
    let elements = (0..random.usize(..4)).map(|_| ["a", "b", "ab"][random.usize(..3)]);
    let path: String = elements.map(|element| format!("/{element}")).collect();
    if path.is_empty() || random.bool() { path + "/" } else { path }
}

fn is_default(kind: Kind) -> bool {
    matches!(kind, Kind::HostDefault | Kind::CatchAll | Kind::Claim)
}
