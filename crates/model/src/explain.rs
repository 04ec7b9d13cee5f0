//! Why a request gets the route it gets, told rule by rule.

use std::sync::Arc;

use crate::{Facts, HostMatch, PathMatch, Route, RouteTable};

/// What became of one rule for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves the request.
    Won,
    /// Its host matches; the rules of a more specific one decide alone.
    LessSpecificHost,
    /// It matches; a rule with a longer path does too.
    ShorterPath,
    /// It matches; an Exact rule for the path does too.
    BesideExact,
    /// It matches; a pattern does too, and patterns go before prefixes.
    PrefixBesidePattern,
    /// It is a pattern that matches; one that is asked before it does too.
    LaterPattern,
    /// It matches; a rule for the same path that is asked before it does too.
    FewerConditions,
    /// It is a default backend, and a rule matches.
    OnlyDefault,
    /// It is for the same host, path and conditions as an older one.
    Conflict,
    /// Its host and path match, its conditions do not hold.
    ConditionsFail,
    /// Its host matches, its path does not.
    PathDiffers,
}

impl Verdict {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Won => "serves the request",
            Verdict::LessSpecificHost => "is passed over: the rules of a more specific host decide alone",
            Verdict::ShorterPath => "matches, but a rule with a longer path does too",
            Verdict::BesideExact => "matches, but an Exact rule for the same path does too",
            Verdict::PrefixBesidePattern => {
                "matches, but a pattern does too, and patterns go before prefixes"
            }
            Verdict::LaterPattern => {
                "matches, but a pattern that is longer, or as long and asked before it, does too"
            }
            Verdict::FewerConditions => {
                "matches, but a rule for the same path with more conditions, or as many and older, does too"
            }
            Verdict::OnlyDefault => "is a default backend, and something more specific matches",
            Verdict::Conflict => "is for the same host and path as an older rule",
            Verdict::ConditionsFail => "is for this host and path, but its conditions do not hold",
            Verdict::PathDiffers => "is for this host, but its path does not match",
        }
    }
}

/// One rule that concerns the request's host, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The rule.
    pub route: Arc<Route>,
    /// What became of it.
    pub verdict: Verdict,
}

/// Every rule that concerns a request's host, the winner first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The host whose rules decide.
    pub host: HostMatch,
    /// The rules.
    pub candidates: Vec<Candidate>,
}

impl Explanation {
    /// The route that serves the request.
    pub fn winner(&self) -> Option<&Arc<Route>> {
        self.candidates.first().filter(|c| c.verdict == Verdict::Won).map(|c| &c.route)
    }
}

/// Explains what [`RouteTable::find`] finds. Looks at every route: not for the request path.
pub fn explain(table: &RouteTable, facts: &impl Facts) -> Explanation {
    let (chosen, winner) = (table.host_of(facts.host()), table.find(facts));
    let decides = |route: &Arc<Route>| route.host == chosen || table.is_catch_all(route);
    let concerned = |route: &Arc<Route>| route.host == chosen || route.host.matches(facts.host());
    let served = table.routes().iter().filter(|route| concerned(route)).map(|route| {
        let verdict =
            if decides(route) { judge(table, route, winner, facts) } else { Verdict::LessSpecificHost };
        Candidate { route: Arc::clone(route), verdict }
    });
    let conflicts = table.conflicts().iter().filter(|conflict| concerned(&conflict.lost)).map(|conflict| {
        let verdict = if decides(&conflict.won) { Verdict::Conflict } else { Verdict::LessSpecificHost };
        Candidate { route: Arc::clone(&conflict.lost), verdict }
    });
    let mut candidates: Vec<Candidate> = served.chain(conflicts).collect();
    candidates.sort_by_key(|c| rank(c.verdict));
    Explanation { host: chosen, candidates }
}

/// What became of a rule of the chosen host.
fn judge(table: &RouteTable, route: &Arc<Route>, winner: Option<&Arc<Route>>, facts: &impl Facts) -> Verdict {
    let is_default = table.is_default(route);
    match winner {
        Some(winner) if Arc::ptr_eq(route, winner) => Verdict::Won,
        _ if !is_default && !route.path.matches(facts.path()) => Verdict::PathDiffers,
        _ if !route.conditions.hold(facts) => Verdict::ConditionsFail,
        _ if is_default => Verdict::OnlyDefault,
        Some(winner) => beside(&route.path, &winner.path),
        None => Verdict::ShorterPath,
    }
}

/// Why the winner's path goes before another one that matches, too.
fn beside(lost: &PathMatch, won: &PathMatch) -> Verdict {
    match (lost, won) {
        _ if lost == won => Verdict::FewerConditions,
        (PathMatch::Pattern(_), PathMatch::Pattern(_)) => Verdict::LaterPattern,
        (PathMatch::Pattern(_), _) => Verdict::BesideExact,
        (_, PathMatch::Pattern(_)) => Verdict::PrefixBesidePattern,
        (_, PathMatch::Exact(_)) if lost.as_str() == won.as_str() => Verdict::BesideExact,
        _ => Verdict::ShorterPath,
    }
}

/// The winner, then those that came closest.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Won => 0,
        Verdict::Conflict => 1,
        Verdict::FewerConditions => 2,
        Verdict::BesideExact => 3,
        Verdict::LaterPattern => 4,
        Verdict::PrefixBesidePattern => 5,
        Verdict::ShorterPath => 6,
        Verdict::ConditionsFail => 7,
        Verdict::LessSpecificHost => 8,
        Verdict::OnlyDefault => 9,
        Verdict::PathDiffers => 10,
    }
}
