//! The API: both services at one address, told apart by the version that each call names.

mod classic;
mod groups;

use crate::http::{Answer, Request};
use crate::model::{Balancer, Kind, Model};
use crate::query::{Query, error, members, result, tag};
use crate::{Failure, Shared};

const CLASSIC: &str = "2012-06-01";
const GROUPS: &str = "2015-12-01";

/// A call that AWS would refuse.
pub(crate) struct Refusal {
    code: &'static str,
    message: String,
}

pub(crate) fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

pub(crate) fn answer(request: &Request, model: &Shared) -> Option<Answer> {
    let query = Query::parse(&request.body);
    let mut model = model.lock().unwrap();
    model.calls.push(query.action.clone());
    let failing = |(action, _): &&(String, Failure)| *action == query.action || action == "*";
    if let Some((_, failure)) = model.failures.iter().find(failing) {
        return fail(*failure, &query.version);
    }
    Some(match call(&query, request, &mut model) {
        Ok(content) => Answer::new(200, result(&query, &content)),
        Err(Refusal { code, message }) => {
            model.refused.push(format!("{} {code}: {message}", query.action));
            Answer::new(400, error(&query.version, code, &message))
        }
    })
}

fn fail(failure: Failure, version: &str) -> Option<Answer> {
    let refused = |status, code| Answer::new(status, error(version, code, "as the test wants"));
    Some(match failure {
        Failure::Throttled => refused(400, "Throttling"),
        Failure::Denied => refused(403, "AccessDenied"),
        Failure::Expired => refused(403, "ExpiredToken"),
        Failure::Unavailable => Answer::new(503, ""),
        Failure::Hangs => return None,
    })
}

fn call(query: &Query, request: &Request, model: &mut Model) -> Result<String, Refusal> {
    let signed = request.field("authorization").unwrap_or_default();
    if !signed.starts_with("AWS4-HMAC-SHA256 ") || !signed.contains("/elasticloadbalancing/aws4_request") {
        return refuse("MissingAuthenticationToken", "sign it");
    }
    match &*query.version {
        CLASSIC => classic::call(query, model),
        GROUPS => groups::call(query, model),
        other => refuse("NoSuchVersion", other),
    }
}

/// Refuses parameters that are not meant.
fn only(query: &Query, known: &[&str]) -> Result<(), Refusal> {
    match query.unknown(known).as_slice() {
        [] => Ok(()),
        unknown => refuse("ValidationError", format!("{unknown:?}")),
    }
}

/// One page of load balancers, and where the next one begins.
fn page<'a>(query: &Query, all: Vec<&'a Balancer>) -> Result<(Vec<&'a Balancer>, String), Refusal> {
    let from = query.value("Marker").map_or(0, |raw| raw.parse().unwrap());
    let asked = query.value("PageSize").map_or(400, |raw| raw.parse().unwrap());
    if !(1..=400).contains(&asked) {
        return refuse("ValidationError", "PageSize is 1 to 400");
    }
    let to = (from + crate::model::PAGE).min(all.len());
    let marker = if to < all.len() { tag("NextMarker", &to.to_string()) } else { String::new() };
    Ok((all[from..to].to_vec(), marker))
}

/// Names for which tags are asked.
fn tagged<'a>(query: &'a Query, list: &str) -> Result<Vec<&'a str>, Refusal> {
    let names = query.list(list, "");
    if names.is_empty() || names.len() > 20 {
        return refuse("ValidationError", format!("{} names: 1 to 20 may be asked for", names.len()));
    }
    Ok(names)
}

fn tags(balancer: &Balancer) -> String {
    members("Tags", &balancer.tags, |(key, value)| tag("Key", key) + &tag("Value", value))
}

fn is_classic(balancer: &&Balancer) -> bool {
    balancer.kind == Kind::Classic
}
