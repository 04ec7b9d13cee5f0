//! Answers that send clients elsewhere.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Authority;
use model::{Facts, HttpsRedirect, PathMatch, RootRedirect, Template, escape_decoded};

use super::RequestFacts;
use crate::client::Client;
use crate::error::Refusal;
use crate::respond::{Answer, NotSent};

/// Sends a client that speaks plain HTTP to the same target over https.
pub(super) fn to_https<B>(
    redirect: &HttpsRedirect,
    client: &Client,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    if client.is_secure(facts.request.headers()) {
        return Ok(());
    }
    let host = facts.host().ok_or(Refusal::BadHost)?.name();
    let target = facts.request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target =
        if redirect.drop_trailing_slash { target.strip_suffix('/').unwrap_or(target) } else { target };
    Err(to(redirect.status, &format!("https://{host}{target}")))
}

/// Sends a client that asks for the root to the path that is to be there for it.
pub(super) fn from_root<B>(
    root: &RootRedirect,
    client: &Client,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    if facts.path().matching() != "/" {
        return Ok(());
    }
    let request = facts.request;
    let field = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = field.or_else(|| request.uri().authority().map(Authority::as_str)).ok_or(Refusal::BadHost)?;
    let scheme = scheme(client, facts);
    Err(to(302, &format!("{scheme}://{host}{}", root.path)))
}

/// Sends a client that leaves out the slash which the path of the route ends with to the path with it, as nginx does.
pub(super) fn to_slash<B>(
    route: Option<&PathMatch>,
    client: &Client,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let path = facts.path();
    if route.is_none_or(|route| route.as_str() != path.matching()) {
        return Ok(());
    }
    let host = facts.host().ok_or(Refusal::BadHost)?.name();
    let (scheme, path) = (scheme(client, facts), escape_decoded(&path.decoded()));
    Err(to(301, &format!("{scheme}://{host}{path}/{}", query(facts))))
}

/// Sends a client to a URL that what its path has matched is put into.
pub(super) fn elsewhere<B>(
    url: &Template,
    route: Option<&PathMatch>,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let path = facts.path().decoded();
    let captures = route.and_then(|route| route.captures(&path));
    let url = url.fill(&path, captures.as_ref()).ok_or(Refusal::LineTooLong)?;
    Err(to(302, &format!("{url}{}", query(facts))))
}

fn scheme<B>(client: &Client, facts: &RequestFacts<'_, B>) -> &'static str {
    if client.is_secure(facts.request.headers()) { "https" } else { "http" }
}

/// The query with its question mark; nothing for an empty one.
fn query<B>(facts: &RequestFacts<'_, B>) -> String {
    let query = facts.request.uri().query().filter(|query| !query.is_empty());
    query.map(|query| format!("?{query}")).unwrap_or_default()
}

/// The answer that sends a client to this place.
fn to(status: u16, location: &str) -> NotSent {
    let Ok(location) = HeaderValue::from_str(location) else { return Refusal::BadTarget.into() };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    NotSent::Answered(Box::new(Answer { status, headers, text: Bytes::from(format!("{status}\n")) }))
}
