//! How often a route's requests are tried.

use std::num::NonZeroU16;

/// How often a request of the route is tried, as far as the route says something of it; else as the proxy is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// Tries for one request, the first included.
    pub attempts: Option<NonZeroU16>,
    /// Endpoints whose fresh connections may die of one request before the first byte of an answer.
    pub endpoints: Option<NonZeroU16>,
}

impl Retry {
    /// What is set, each with its word.
    pub fn words(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let all = [("attempts", self.attempts), ("endpoints", self.endpoints)];
        all.into_iter().filter_map(|(word, count)| Some((word, count?.get())))
    }
}
