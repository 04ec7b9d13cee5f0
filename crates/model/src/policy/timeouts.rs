//! How long a route's endpoints may take.

use std::time::Duration;

/// How long a route's endpoints may take, for each step that it says something of; for the others what the proxy is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a request has a connection, or a place on one.
    pub connect: Option<Duration>,
    /// From the sent request to the head of its response.
    pub response: Option<Duration>,
    /// Between two pieces of a response's body.
    pub body: Option<Duration>,
    /// Between two pieces of a request's body that an endpoint takes.
    pub send: Option<Duration>,
    /// Silence in a tunnel (WebSocket).
    pub tunnel: Option<Duration>,
}

impl Timeouts {
    /// Those that are set, each with its word.
    pub fn words(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = [
            ("connect", self.connect),
            ("response", self.response),
            ("body", self.body),
            ("send", self.send),
            ("tunnel", self.tunnel),
        ];
        all.into_iter().filter_map(|(word, time)| Some((word, time?)))
    }
}
