//! The explanation as text and as JSON.

use std::fmt::Write as _;

use ::admin::json::{BackendView, RouteView, selection};
use model::{Candidate, Explanation, Route, Selection, Unavailable, Verdict};
use serde_json::{Value, json};

use super::{Answer, Asked, Found, Met, Possible, Table};

/// For people: the request as it is read, then the rule, its endpoints, the rules that lost, and the answer.
pub(super) fn text(asked: &Asked, answer: &Answer<'_>, table: &Table<'_>) -> String {
    let mut out = String::new();
    let found = match answer {
        Answer::Refused { status, why } => return format!("refused: {status}, {why}\n"),
        Answer::Found(found) => found,
    };
    request(&mut out, asked, found, table);
    let mut candidates = found.explanation.candidates.iter().peekable();
    if let Some(winner) = candidates.next_if(|c| c.verdict == Verdict::Won) {
        let _ = writeln!(out, "route:     {}", line(&winner.route));
        policy(&mut out, &winner.route);
        filters(&mut out, &found.met);
        found.possible.iter().for_each(|one| endpoints(&mut out, one, table));
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

fn request(out: &mut String, asked: &Asked, found: &Found<'_>, table: &Table<'_>) {
    let host = found
        .facts
        .host
        .as_ref()
        .map_or("none (HTTP/1.0 only; HTTP/1.1 without one is refused: 400)", |h| h.name());
    let _ = writeln!(out, "request:   {} {}", asked.method, asked.path);
    let _ = writeln!(out, "host:      {host}");
    let _ = writeln!(out, "rules of:  {}", found.explanation.host);
    if let Some(because_of) = table.routes.patterns_because_of(&found.explanation.host) {
        let _ = writeln!(
            out,
            "patterns:  all paths of this host are regular expressions, because of {because_of}"
        );
    }
    let _ = writeln!(out, "matched:   {}", found.facts.path.matching());
    let _ = writeln!(out, "forwarded: {}", forwarded(asked, found, asked.query.as_deref()));
}

/// The target that an endpoint would get for one with this query.
fn forwarded(asked: &Asked, found: &Found<'_>, query: Option<&str>) -> String {
    let winner = found.explanation.winner();
    let rewrite = winner.and_then(|route| Some((route.policy.filters.as_ref()?.rewrite()?, &route.path)));
    let path = &found.facts.path;
    let rewritten = rewrite.and_then(|(rewrite, route)| rewrite.apply(route, path, query));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    rewritten.map_or_else(|| format!("{}{query}", asked.path), |rewritten| rewritten.target)
}

/// What applies to the route alone.
fn policy(out: &mut String, route: &Route) {
    let policy = &route.policy;
    let times: Vec<_> = policy.timeouts.words().map(|(word, time)| format!("{word} {time:?}")).collect();
    let counts: Vec<_> = policy.retry.words().map(|(word, count)| format!("{word} {count}")).collect();
    let body = policy.request_body_max.map(|most| format!("up to {most} bytes")).unwrap_or_default();
    let tls =
        if route.passes_tls() { "passed through: nothing below but addresses holds for it" } else { "" };
    for (name, all) in [
        ("TLS:      ", tls.to_owned()),
        ("timeouts: ", times.join(", ")),
        ("retry:    ", counts.join(", ")),
        ("body:     ", body),
    ] {
        if !all.is_empty() {
            let _ = writeln!(out, "{name} {all}");
        }
    }
}

/// In the order in which a request meets them.
fn filters(out: &mut String, met: &[Met]) {
    if met.is_empty() {
        return;
    }
    let _ = writeln!(out, "filters:");
    for Met { text, answers, from, .. } in met {
        let answers = answers.map(|answers| format!(", answers {answers}")).unwrap_or_default();
        let from = if from.is_empty() { "unless something else is said".into() } else { from.join(", ") };
        let _ = writeln!(out, "  {text}{answers} ({from})");
    }
}

/// Where a rule stands and what it is for.
fn line(route: &Route) -> String {
    let conditions = route.conditions.iter().map(|condition| format!(", {condition}"));
    format!("{}: {} {}{}", route.origin, route.host, route.path, conditions.collect::<String>())
}

fn endpoints(out: &mut String, Possible { backend, why }: &Possible<'_>, table: &Table<'_>) {
    let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let _ = writeln!(out, "backend:   {}: {}{why}", backend.key, selection(backend.selection()));
    for (place, endpoint) in backend.endpoints().iter().enumerate() {
        let takes = if place < backend.usable().len() { "takes requests" } else { "takes none" };
        let _ = writeln!(out, "  {} {}: {takes}", endpoint.key.address, endpoint.condition.as_str());
    }
    if backend.selection() == Selection::None(Unavailable::NoEndpoint) && table.has_external_names {
        let _ = writeln!(out, "  (the names of ExternalName Services are resolved only by `run`)");
    }
}

fn outcome(found: &Found<'_>) -> String {
    let policy = found.explanation.winner().map(|route| &route.policy);
    let unusable = |one: &&Possible<'_>| matches!(one.backend.selection(), Selection::None(_));
    let down = found.possible.iter().find(unusable);
    if let (Some(status), Some(why)) = (found.status, &found.why) {
        return format!("{status}, {why}");
    }
    match (found.status, down) {
        (Some(404), _) if policy.is_some() => {
            "404, unless a filter answers: see filters; no rule leads to an endpoint".into()
        }
        (Some(404), _) => {
            let Explanation { host, candidates } = &found.explanation;
            let only_conditions = candidates.iter().any(|c| c.verdict == Verdict::ConditionsFail);
            let what = if only_conditions { "request" } else { "path" };
            format!("404, no rule of {host} matches the {what}, and there is no default backend")
        }
        (Some(status), Some(down)) => format!("{status}, {}", selection(down.backend.selection())),
        (Some(status), None) => status.to_string(),
        (None, down) => {
            let guarded = policy.is_some_and(|policy| policy.guards().next().is_some());
            let guarded = if guarded { ", if the client is let in: see filters" } else { "" };
            let down = down.map(|one| {
                format!(", or 503, {} of {}", selection(one.backend.selection()), one.backend.key)
            });
            format!("by one of the endpoints that take requests{guarded}{}", down.unwrap_or_default())
        }
    }
}

/// For programs: the same, with routes and endpoints in the form of `/routes` and `/endpoints`.
pub(super) fn json(asked: &Asked, answer: &Answer<'_>, table: &Table<'_>) -> String {
    let shown = match answer {
        Answer::Refused { status, why } => json!({
            "served": false, "status": status, "reason": why,
            "request": { "method": asked.method, "path": asked.path, "query": asked.query },
        }),
        Answer::Found(found) => found_json(asked, found, table),
    };
    format!("{shown:#}\n")
}

fn found_json(asked: &Asked, found: &Found<'_>, table: &Table<'_>) -> Value {
    let view = |route: &Route| RouteView::of(route, table.routes);
    let lost = found.explanation.candidates.iter().filter(|candidate| candidate.verdict != Verdict::Won);
    let lost = lost.map(|c| json!({ "route": view(&c.route), "reason": c.verdict.as_str() }));
    let backends: Vec<_> = found.possible.iter().map(|one| BackendView::of(one.backend)).collect();
    let mut shown = json!({
        "served": found.status.is_none(),
        "status": found.status,
        "reason": outcome(found),
        "request": {
            "method": asked.method,
            "host": found.facts.host.as_ref().map(|host| host.name()),
            "path": asked.path,
            "query": asked.query,
            "forwarded": forwarded(asked, found, None),
            "matched": found.facts.path.matching(),
        },
        "rulesOf": found.explanation.host.to_string(),
        "route": found.explanation.winner().map(|route| view(route)),
        "backend": backends.first().filter(|_| backends.len() == 1),
        "filters": found.met.iter().map(filter_json).collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
    });
    if backends.len() > 1 {
        shown["backends"] = json!(backends);
    }
    shown
}

fn filter_json(Met { text, word, answers, from }: &Met) -> Value {
    json!({ "filter": word, "text": text, "answers": answers, "from": from })
}
