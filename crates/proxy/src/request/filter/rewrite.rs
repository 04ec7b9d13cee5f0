//! What endpoints get for a target in place of the one that came.

use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, request};
use model::{Facts, PathMatch, Rewrite};

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

/// The target that becomes of the one that came: another path, which begins with a slash, and the same query.
///
/// # Errors
/// [`Refusal::LineTooLong`], if it would be longer than any should be.
pub(in crate::request) fn rewrite<B>(
    rewrite: &Rewrite,
    route: &PathMatch,
    facts: &RequestFacts<'_, B>,
) -> Result<Sent, Refusal> {
    let came = facts.path().decoded();
    let captures = route.captures(&came);
    let path = rewrite.path.fill(&came, captures.as_ref()).ok_or(Refusal::LineTooLong)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    let query = facts.request.uri().query().filter(|query| !query.is_empty());
    let (mark, query) = query.map_or(("", ""), |query| ("?", query));
    let target = PathAndQuery::try_from(format!("{slash}{path}{mark}{query}"));
    let prefix = match &rewrite.prefix {
        Some(prefix) => Some(prefix.fill(&came, captures.as_ref()).ok_or(Refusal::LineTooLong)?),
        None => None,
    };
    Ok(Sent {
        target: Some(target.map_err(|_| Refusal::BadTarget)?.into()),
        prefix: prefix.and_then(|prefix| HeaderValue::try_from(prefix).ok()),
    })
}
