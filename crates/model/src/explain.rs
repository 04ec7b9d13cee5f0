//! Why a request gets the route it gets, told rule by rule.

use std::sync::Arc;

use crate::{HostMatch, PathMatch, RequestHost, RequestPath, Route, RouteTable};

/// What became of one rule for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves the request.
    Won,
    /// It matches; a rule with a more specific host does too.
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
            Verdict::LessSpecificHost => "matches, but a rule with a more specific host does too",
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
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
    let winner = table.find(host, path);
    let served = table.routes().iter().filter(|route| route.host.matches(host)).map(|route| {
        let verdict = winner.map_or(Verdict::PathDiffers, |winner| judge(route, winner, path));
        Candidate { route: Arc::clone(route), verdict }
    });
    let conflicts = table.conflicts().iter().filter(|c| c.lost.host.matches(host));
    let conflicts = conflicts.map(|c| Candidate { route: Arc::clone(&c.lost), verdict: Verdict::Conflict });
    let mut candidates: Vec<Candidate> = served.chain(conflicts).collect();
    candidates.sort_by_key(|c| rank(c.verdict));
    Explanation { candidates }
}

fn judge(route: &Arc<Route>, winner: &Arc<Route>, path: &RequestPath<'_>) -> Verdict {
    let precedence = |host: &HostMatch| match host {
        HostMatch::Exact(_) => 0,
        HostMatch::Wildcard(_) => 1,
        HostMatch::Any => 2,
    };
    if Arc::ptr_eq(route, winner) {
        Verdict::Won
    } else if route.origin.rule.is_none() {
        Verdict::OnlyDefault
    } else if !route.path.matches(path) {
        Verdict::PathDiffers
    } else if precedence(&route.host) != precedence(&winner.host) {
        Verdict::LessSpecificHost
    } else if matches!(winner.path, PathMatch::Exact(_)) && route.path.as_str() == winner.path.as_str() {
        Verdict::PrefixBesideExact
    } else {
        Verdict::ShorterPath
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
