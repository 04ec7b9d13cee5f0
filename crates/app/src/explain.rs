//! `sluicegate explain`: what would happen to one request, without sending it.
//!
//! Reads host and path as the data plane does ([`RequestHost`], [`RequestPath`]) and asks [`model::explain()`].

mod request;
mod show;

use std::io::{Write, stdout};

use compile::Compiled;
use model::{Backend, Explanation, RequestHost, RequestPath, Selection};

use crate::cli::{ExplainArgs, Format};
use crate::{FAILED, USAGE, config};

use request::Asked;

/// Exit codes: 0 an endpoint would get the request, 1 none would, 2 the request or the folder cannot be read.
pub(crate) fn run(args: &ExplainArgs) -> u8 {
    let asked = match Asked::new(&args.request, &args.headers) {
        Ok(asked) => asked,
        Err(error) => return usage(&error),
    };
    let compiled =
        match controller::read_once(&args.manifests, &config::of_folder(config::settings(&args.classes))) {
            Ok(compiled) => compiled,
            Err(error) => return usage(&error.to_string()),
        };
    let answer = answer(&asked, &compiled);
    let shown = match args.format {
        Format::Text => show::text(&asked, &answer, &compiled),
        Format::Json => show::json(&asked, &answer, &compiled),
    };
    // A reader that closes the pipe early has read enough.
    let _ = stdout().write_all(shown.as_bytes());
    if matches!(answer, Answer::Found(Found { status: None, .. })) { 0 } else { FAILED }
}

fn usage(error: &str) -> u8 {
    eprintln!("error: {error}");
    USAGE
}

/// How a request would be answered.
enum Answer<'a> {
    /// It is answered before a route is looked for.
    Refused { status: u16, why: String },
    /// Its host and path could be read.
    Found(Found<'a>),
}

struct Found<'a> {
    host: Option<RequestHost<'a>>,
    path: RequestPath<'a>,
    explanation: Explanation,
    backend: Option<&'a Backend>,
    /// The status of our own answer; `None` if an endpoint gives it.
    status: Option<u16>,
}

fn answer<'a>(asked: &'a Asked, compiled: &'a Compiled) -> Answer<'a> {
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
    let explanation = model::explain(&compiled.table, host.as_ref(), &path);
    let backend = explanation.winner().map(|route| &**compiled.table.backend_of(route));
    let status = match backend.map(Backend::selection) {
        None => Some(404),
        Some(Selection::None(_)) => Some(503),
        Some(Selection::Ready | Selection::Terminating) => None,
    };
    Answer::Found(Found { host, path, explanation, backend, status })
}
