//! What endpoints get for a target in place of the one that came.

use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, request};
use model::{Facts, PathMatch, Rewrite, Rewritten};

use super::RequestFacts;
use crate::error::Refusal;

const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What of a head is another one when it is sent.
pub(in crate::request) struct Sent {
    /// The target, where it is not the one that came.
    pub(in crate::request) target: Option<Uri>,
    /// What was before the target's path.
    pub(in crate::request) prefix: Option<HeaderValue>,
}

impl Sent {
    /// Makes it another one.
    pub(in crate::request) fn apply(self, head: &mut request::Parts) {
        if let Some(target) = self.target {
            head.uri = target;
        }
        if let Some(prefix) = self.prefix {
            head.headers.insert(X_FORWARDED_PREFIX, prefix);
        }
    }
}

/// What becomes of the target that came, and of what was before it.
///
/// # Errors
/// [`Refusal::LineTooLong`], if it would be longer than any should be.
pub(in crate::request) fn rewrite<B>(
    rewrite: &Rewrite,
    route: &PathMatch,
    facts: &RequestFacts<'_, B>,
) -> Result<Sent, Refusal> {
    let rewritten = rewrite.apply(route, facts.path(), facts.request.uri().query());
    let Rewritten { target, prefix } = rewritten.ok_or(Refusal::LineTooLong)?;
    let target = PathAndQuery::try_from(target).map_err(|_| Refusal::BadTarget)?;
    let prefix = prefix.and_then(|prefix| HeaderValue::try_from(prefix).ok());
    Ok(Sent { target: Some(target.into()), prefix })
}
