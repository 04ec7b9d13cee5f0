//! Answers that send clients elsewhere.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use model::{Facts, HttpsRedirect};

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

/// The answer that sends a client to this place.
fn to(status: u16, location: &str) -> NotSent {
    let Ok(location) = HeaderValue::from_str(location) else { return Refusal::BadTarget.into() };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, location);
    Answer::plain(status, headers).into()
}
