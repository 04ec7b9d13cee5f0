//! The explanation as text and as JSON.

use std::fmt::Write as _;

use ::admin::json::{BackendView, RouteView, selection};
use compile::Compiled;
use model::{Backend, Candidate, Route, Selection, Unavailable, Verdict};
use serde_json::{Value, json};

use super::{Answer, Asked, Found};

/// For people: what it is answered by, then the rule, its endpoints, and the rules that lost.
pub(super) fn text(asked: &Asked, answer: &Answer<'_>, compiled: &Compiled) -> String {
    let mut out = String::new();
    let found = match answer {
        Answer::Refused { status, why } => return format!("refused: {status}, {why}\n"),
        Answer::Found(found) => found,
    };
    request(&mut out, asked, found);
    let mut candidates = found.explanation.candidates.iter().peekable();
    if let (Some(winner), Some(backend)) = (candidates.next_if(|c| c.verdict == Verdict::Won), found.backend)
    {
        let _ = writeln!(out, "route:     {}", line(&winner.route));
        if let Some(filters) = &winner.route.policy.filters {
            let _ = writeln!(out, "filters:   {}", filters.words().collect::<Vec<_>>().join(", "));
        }
        endpoints(&mut out, backend, compiled);
    }
    if candidates.peek().is_some() {
        let _ = writeln!(out, "lost:");
    }
    for Candidate { route, verdict } in candidates {
        let _ = writeln!(out, "  {} ({})", line(route), verdict.as_str());
    }
    let _ = writeln!(out, "answer:    {}", outcome(found));
    out
}

fn request(out: &mut String, asked: &Asked, found: &Found<'_>) {
    let host = found
        .host
        .as_ref()
        .map_or("none (HTTP/1.0 only; HTTP/1.1 without one is refused: 400)", |h| h.name());
    let _ = writeln!(out, "request:   {} {}", asked.method, asked.path);
    let _ = writeln!(out, "host:      {host}");
    let query = asked.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let _ = writeln!(out, "rules of:  {}", found.explanation.host);
    let _ = writeln!(out, "matched:   {}", found.path.matching());
    let _ = writeln!(out, "forwarded: {}{query}", asked.path);
}

/// Where a rule stands and what it is for.
fn line(route: &Route) -> String {
    format!("{}: {} {}", route.origin, route.host, route.path)
}

fn endpoints(out: &mut String, backend: &Backend, compiled: &Compiled) {
    let _ = writeln!(out, "backend:   {}: {}", backend.key, selection(backend.selection()));
    for (place, endpoint) in backend.endpoints().iter().enumerate() {
        let takes = if place < backend.usable().len() { "takes requests" } else { "takes none" };
        let _ = writeln!(out, "  {} {}: {takes}", endpoint.key.address, endpoint.condition.as_str());
    }
    if backend.selection() == Selection::None(Unavailable::NoEndpoint) && !compiled.external_names.is_empty()
    {
        let _ = writeln!(out, "  (the names of ExternalName Services are resolved only by `run`)");
    }
}

fn outcome(found: &Found<'_>) -> String {
    let policy = found.explanation.winner().map(|route| &route.policy);
    match (found.status, found.backend) {
        (Some(404), _) => {
            let host = &found.explanation.host;
            format!("404, no rule of {host} matches the path, and there is no default backend")
        }
        (Some(status), Some(_)) if policy.is_some_and(|policy| policy.denies()) => {
            format!("{status}, denied: what was to guard access cannot be honoured; `check` says why")
        }
        (Some(status), Some(backend)) => format!("{status}, {}", selection(backend.selection())),
        (Some(status), None) => status.to_string(),
        (None, _) if policy.is_some_and(|policy| policy.guards().next().is_some()) => {
            "by one of the endpoints that take requests, if the client is let in: see filters".into()
        }
        (None, _) => "by one of the endpoints that take requests".into(),
    }
}

/// For programs: the same, with routes and endpoints in the form of `/routes` and `/endpoints`.
pub(super) fn json(asked: &Asked, answer: &Answer<'_>, compiled: &Compiled) -> String {
    let shown = match answer {
        Answer::Refused { status, why } => json!({
            "served": false, "status": status, "reason": why,
            "request": { "method": asked.method, "path": asked.path, "query": asked.query },
        }),
        Answer::Found(found) => found_json(asked, found, compiled),
    };
    format!("{shown:#}\n")
}

fn found_json(asked: &Asked, found: &Found<'_>, compiled: &Compiled) -> Value {
    let view = |route: &Route| RouteView::of(route, &compiled.table);
    let lost = found.explanation.candidates.iter().filter(|candidate| candidate.verdict != Verdict::Won);
    let lost = lost.map(|c| json!({ "route": view(&c.route), "reason": c.verdict.as_str() }));
    json!({
        "served": found.status.is_none(),
        "status": found.status,
        "reason": outcome(found),
        "request": {
            "method": asked.method,
            "host": found.host.as_ref().map(|host| host.name()),
            "path": asked.path,
            "query": asked.query,
            "forwarded": asked.path,
            "matched": found.path.matching(),
        },
        "rulesOf": found.explanation.host.to_string(),
        "route": found.explanation.winner().map(|route| view(route)),
        "backend": found.backend.map(BackendView::of),
        "lost": lost.collect::<Vec<_>>(),
    })
}
