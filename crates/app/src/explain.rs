//! `sluicegate explain`: what would happen to one request, without sending it.
//!
//! Reads host and path as the data plane does ([`RequestHost`], [`RequestPath`]) and asks [`model::explain()`].

mod facts;
mod filters;
mod request;
mod show;
#[cfg(test)]
mod tests;

use std::io::{Write, stdout};

use model::{Backend, Explanation, RequestHost, RequestPath, Route, RouteTable, Selection, Split, Target};

use crate::cli::{ExplainArgs, Format};
use crate::source::Read;
use crate::{FAILED, USAGE, config};

use facts::AskedFacts;
use filters::Met;
use request::Asked;

/// Exit codes: 0 an endpoint would get the request, 1 none would, 2 the request or the folder cannot be read.
pub(crate) fn run(args: &ExplainArgs) -> u8 {
    let asked = match Asked::new(&args.request, &args.headers) {
        Ok(asked) => asked,
        Err(error) => return usage(&error),
    };
    let read = match Read::new(&args.source, config::settings(&args.classes)) {
        Ok(read) => read,
        Err(error) => return usage(&error),
    };
    let compiled = read.objects.compile(&read.settings);
    let table = Table { routes: &compiled.table, has_external_names: !compiled.external_names.is_empty() };
    let mut answer = answer(&asked, &table);
    if let Answer::Found(found) = &mut answer
        && let Some(route) = found.explanation.winner()
    {
        found.met = filters::met(route, read.objects.objects(), &read.settings);
    }
    let shown = match args.format {
        Format::Text => show::text(&asked, &answer, &table),
        Format::Json => show::json(&asked, &answer, &table),
    };
    // A reader that closes the pipe early has read enough.
    let _ = stdout().write_all(shown.as_bytes());
    if matches!(answer, Answer::Found(Found { status: None, .. })) { 0 } else { FAILED }
}

fn usage(error: &str) -> u8 {
    eprintln!("error: {error}");
    USAGE
}

/// The same on a live table, for a query as the form of a page sends it: `url`, and `method` where it is not GET.
///
/// # Errors
/// If the query is not that.
pub(crate) fn live(query: &str, routes: &RouteTable) -> Result<String, String> {
    let mut words = [String::from("GET"), String::new()];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "method" => words[0] = value.trim().to_ascii_uppercase(),
            "url" => words[1] = value.trim().to_owned(),
            _ => return Err(format!("{name:?} is not known; write method= and url=")),
        }
    }
    if words[1].is_empty() {
        return Err("write url=, as /explain?url=https://shop.example.com/cart".into());
    }
    let asked = Asked::new(&words, &[])?;
    let table = Table { routes, has_external_names: false };
    Ok(show::text(&asked, &answer(&asked, &table), &table))
}

/// What is looked at.
#[derive(Clone, Copy)]
struct Table<'a> {
    routes: &'a RouteTable,
    /// Whether there are backends whose names only a running process looks up.
    has_external_names: bool,
}

/// How a request would be answered.
enum Answer<'a> {
    /// It is answered before a route is looked for.
    Refused { status: u16, why: String },
    /// Its host and path could be read.
    Found(Found<'a>),
}

struct Found<'a> {
    facts: AskedFacts<'a>,
    explanation: Explanation,
    /// Where the request may go; more than one where chance decides.
    possible: Vec<Possible<'a>>,
    /// The filters that it meets.
    met: Vec<Met>,
    /// The status of our own answer; `None` if an endpoint gives it.
    status: Option<u16>,
    /// Why that is the answer, if a filter gives it.
    why: Option<String>,
}

/// A backend that the request may go to.
struct Possible<'a> {
    backend: &'a Backend,
    /// What decides on it, where there is a choice.
    why: Option<String>,
}

fn answer<'a>(asked: &'a Asked, table: &Table<'a>) -> Answer<'a> {
    let refused = |status, why: String| Answer::Refused { status, why };
    if matches!(&*asked.method, "CONNECT" | "TRACE") {
        return refused(405, format!("{} is not forwarded", asked.method));
    }
    let host = match asked.host().map(|host| host.map(RequestHost::parse).transpose()) {
        Ok(Ok(host)) => host,
        Ok(Err(error)) => return refused(400, error.to_string()),
        Err(why) => return refused(400, why.into()),
    };
    if asked.fragment {
        return refused(400, "the target has a #; clients keep that part for themselves".into());
    }
    if !asked.query.as_deref().is_none_or(str::is_ascii) {
        return refused(400, "the query has a byte that must be percent-encoded".into());
    }
    let path = match RequestPath::parse(&asked.path) {
        Ok(path) => path,
        Err(error) => return refused(400, error.to_string()),
    };
    found(AskedFacts { asked, host, path }, table)
}

fn found<'a>(facts: AskedFacts<'a>, table: &Table<'a>) -> Answer<'a> {
    let explanation = model::explain(table.routes, &facts);
    let winner = explanation.winner();
    let possible = winner.map_or_else(Vec::new, |route| possible(route, &facts, table.routes));
    let is_down = |one: &Possible<'_>| matches!(one.backend.selection(), Selection::None(_));
    let certain = winner.and_then(|route| filters::certain(route, &facts));
    let (filtered, why) = certain.unzip();
    let status = match &*possible {
        [] => filtered.or(Some(404)),
        all => filtered.or(all.iter().all(is_down).then_some(503)),
    };
    Answer::Found(Found { facts, explanation, possible, met: Vec::new(), status, why })
}

/// The backends that a request for the route may go to.
fn possible<'a>(route: &Route, facts: &AskedFacts<'_>, table: &'a RouteTable) -> Vec<Possible<'a>> {
    let at = |place: u32| &**table.backend_at(place);
    match (&route.target, table.keeping(route, facts)) {
        (Target::Nothing, _) => Vec::new(),
        (Target::Backend(place), _) => vec![Possible { backend: at(*place), why: None }],
        (Target::Split(split), Some(place)) => {
            let why = Some("its cookie keeps the client".into());
            vec![Possible { backend: at(table.serving(split, place)), why }]
        }
        (Target::Split(split), None) => of_split(split, facts, |place| at(table.serving(split, place))),
    }
}

/// The backend that a rule of the split decides on, else all that chance may.
fn of_split<'a>(split: &Split, facts: &AskedFacts<'_>, at: impl Fn(u32) -> &'a Backend) -> Vec<Possible<'a>> {
    if let Some(rule) = split.rule_of(facts) {
        return vec![Possible { backend: at(rule.backend), why: Some(rule.condition.to_string()) }];
    }
    let shares = split.shares().iter().filter(|share| share.weight > 0);
    let possible = shares.map(|share| Possible {
        backend: at(share.backend),
        why: Some(format!("{} of {} requests", share.weight, split.total())),
    });
    possible.collect()
}
