//! Answers that send clients elsewhere.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use model::{Facts, HttpsRedirect};

use super::RequestFacts;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::respond::{Answer, NotSent};

/// Sends a client that speaks plain HTTP to the same target over https.
pub(super) fn to_https<B>(
    redirect: &HttpsRedirect,
    exchange: &Exchange,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    if exchange.client_is_secure(facts.request.headers()) {
        return Ok(());
    }
    let host = facts.host().ok_or(Refusal::BadHost)?.name();
    let target = facts.request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target =
        if redirect.drop_trailing_slash { target.strip_suffix('/').unwrap_or(target) } else { target };
    Err(to(redirect.status, &format!("https://{host}{target}")))
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
