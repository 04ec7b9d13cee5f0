//! How often a route's requests are tried, and after what.

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

/// How often a request of the route is tried, as far as the route says something of it; else as the proxy is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// Tries for one request, the first included.
    pub attempts: Option<NonZeroU16>,
    /// Endpoints whose fresh connections may die of one request before the first byte of an answer.
    pub endpoints: Option<NonZeroU16>,
    /// How long after its beginning a request may be tried again.
    pub within: Option<Duration>,
    /// What of an endpoint that may have seen the request lets it be tried at another one; without it only that its connection
    /// ended. What no endpoint can have seen is tried again in any case.
    pub on: Option<RetryOn>,
}

impl Retry {
    /// What is set, each with its word.
    pub fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let count = |count: NonZeroU16| count.to_string();
        let all = [
            ("attempts", self.attempts.map(count)),
            ("endpoints", self.endpoints.map(count)),
            ("within", self.within.map(|time| format!("{time:?}"))),
            ("on", self.on.map(|on| on.to_string())),
        ];
        all.into_iter().filter_map(|(word, value)| Some((word, value?)))
    }

    /// Whether this is a reason to ask another endpoint.
    pub fn is_on(&self, reason: RetryOn) -> bool {
        self.on.unwrap_or(RetryOn::ERROR).contains(reason)
    }
}

/// Reasons to ask another endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOn(u16);

impl RetryOn {
    /// The connection ended before there was an answer.
    pub const ERROR: RetryOn = RetryOn(1);
    /// There was none in time.
    pub const TIMEOUT: RetryOn = RetryOn(1 << 1);
    /// It was none of HTTP.
    pub const INVALID_HEADER: RetryOn = RetryOn(1 << 2);
    /// Requests whose method is not idempotent (RFC 9110 §9.2.2) may be sent twice, too.
    pub const NON_IDEMPOTENT: RetryOn = RetryOn(1 << 3);

    /// All of them, with nginx' words.
    pub const ALL: [(&'static str, RetryOn); 11] = [
        ("error", RetryOn::ERROR),
        ("timeout", RetryOn::TIMEOUT),
        ("invalid_header", RetryOn::INVALID_HEADER),
        ("non_idempotent", RetryOn::NON_IDEMPOTENT),
        ("http_500", RetryOn(1 << 4)),
        ("http_502", RetryOn(1 << 5)),
        ("http_503", RetryOn(1 << 6)),
        ("http_504", RetryOn(1 << 7)),
        ("http_403", RetryOn(1 << 8)),
        ("http_404", RetryOn(1 << 9)),
        ("http_429", RetryOn(1 << 10)),
    ];

    /// The one with this word.
    pub fn parse(word: &str) -> Option<RetryOn> {
        RetryOn::ALL.iter().find(|(known, _)| *known == word).map(|(_, one)| *one)
    }

    /// The answer has this status; none if that can be no reason.
    pub fn status(status: u16) -> Option<RetryOn> {
        let place = [500, 502, 503, 504, 403, 404, 429].iter().position(|known| *known == status)?;
        Some(RetryOn(1 << (4 + place)))
    }

    /// These and those of another one.
    #[must_use]
    pub fn and(self, other: RetryOn) -> RetryOn {
        RetryOn(self.0 | other.0)
    }

    /// Whether all of another one are among these.
    pub fn contains(self, other: RetryOn) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> =
            RetryOn::ALL.iter().filter(|(_, one)| self.contains(*one)).map(|(word, _)| *word).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_the_reason_with_its_number() {
        for (word, one) in RetryOn::ALL {
            if let Some(status) = word.strip_prefix("http_") {
                assert_eq!(RetryOn::status(status.parse().expect("a number")), Some(one), "{word}");
            }
            assert_eq!((RetryOn::parse(word), one.to_string().as_str()), (Some(one), word));
        }
        assert_eq!((RetryOn::status(200), RetryOn::parse("http_501")), (None, None));
    }
}
