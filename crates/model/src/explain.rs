//! Why a request gets the route it gets, told rule by rule.

use std::sync::Arc;

use crate::{HostMatch, PathMatch, RequestHost, RequestPath, Route, RouteTable};

/// What became of one rule for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves the request.
    Won,
    /// Its host matches; the rules of a more specific one decide alone.
    LessSpecificHost,
    /// It matches; a rule with a longer path does too.
    ShorterPath,
    /// It matches; an Exact rule for the same path does too.
    PrefixBesideExact,
    /// It is a default backend, and a rule matches.
    OnlyDefault,
    /// It is for the same host and path as an older one.
    Conflict,
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
            Verdict::PrefixBesideExact => "matches, but an Exact rule for the same path does too",
            Verdict::OnlyDefault => "is a default backend, and something more specific matches",
            Verdict::Conflict => "is for the same host and path as an older rule",
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
pub fn explain(table: &RouteTable, host: Option<&RequestHost<'_>>, path: &RequestPath<'_>) -> Explanation {
    let (chosen, winner) = (table.host_of(host), table.find(host, path));
    let is_catch_all = |route: &Arc<Route>| table.catch_all().is_some_and(|all| Arc::ptr_eq(all, route));
    let decides = |route: &Arc<Route>| route.host == chosen || is_catch_all(route);
    let concerned = |route: &Arc<Route>| route.host.matches(host);
    let served = table.routes().iter().filter(|route| concerned(route)).map(|route| {
        let verdict = if decides(route) { judge(route, winner, path) } else { Verdict::LessSpecificHost };
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
fn judge(route: &Arc<Route>, winner: Option<&Arc<Route>>, path: &RequestPath<'_>) -> Verdict {
    match winner {
        Some(winner) if Arc::ptr_eq(route, winner) => Verdict::Won,
        _ if !route.path.matches(path) => Verdict::PathDiffers,
        _ if route.origin.is_default => Verdict::OnlyDefault,
        Some(winner)
            if matches!(winner.path, PathMatch::Exact(_)) && route.path.as_str() == winner.path.as_str() =>
        {
            Verdict::PrefixBesideExact
        }
        _ => Verdict::ShorterPath,
    }
}

/// The winner, then those that came closest.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Won => 0,
        Verdict::Conflict => 1,
        Verdict::PrefixBesideExact => 2,
        Verdict::ShorterPath => 3,
        Verdict::LessSpecificHost => 4,
        Verdict::OnlyDefault => 5,
        Verdict::PathDiffers => 6,
    }
}
