//! Another server's word on each request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{BackendKey, Template};

/// Another server is asked about each request. If it answers with 2xx the request is sent on; 401 and 403 are the client's
/// answer; all else, and silence, is 500.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalAuth {
    /// Where the server is.
    pub server: AuthServer,
    /// What it is asked for: path and query.
    pub target: Template,
    /// The `Host` that it is told.
    pub host: Template,
    /// The method; GET, and fewer fields, if none is given.
    pub method: Option<Arc<str>>,
    /// Where clients are sent in place of a 401.
    pub sign_in: Option<Template>,
    /// What it is told as `X-Auth-Request-Redirect` in place of the request's target.
    pub request_redirect: Option<Template>,
    /// Fields of its answer that endpoints get, in lower case; clients' own of these names never reach one.
    pub response_headers: Arc<[Arc<str>]>,
    /// Fields that it is sent, in lower case, in place of clients' own.
    pub request_headers: Arc<[(Arc<str>, Template)]>,
    /// Which of its words are kept for a while, if any are.
    pub cache: Option<WordCache>,
    /// Whether clients get its cookies whatever the endpoint answers; else not with errors.
    pub always_set_cookie: bool,
}

/// What is kept of a server's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WordCache {
    /// Requests of a route with the same text get the same word.
    pub key: Template,
    /// How long, by status: the first that has it.
    pub times: Arc<[CacheTime]>,
}

/// How long words with some statuses are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheTime {
    /// The statuses; any if empty.
    pub statuses: Vec<u16>,
    /// How long.
    pub time: Duration,
}

impl CacheTime {
    /// What ingress-nginx has where nothing is said.
    pub fn usual() -> [CacheTime; 1] {
        [CacheTime { statuses: vec![200, 202, 401], time: Duration::from_secs(300) }]
    }
}

impl WordCache {
    /// How long a word with this status is kept.
    pub fn time_of(&self, status: u16) -> Option<Duration> {
        let of = |time: &&CacheTime| time.statuses.is_empty() || time.statuses.contains(&status);
        self.times.iter().find(of).map(|time| time.time)
    }
}

/// Where the server is that is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthServer {
    /// One of these endpoints.
    Backend(BackendKey),
    /// Whatever serves that target on the request's own host.
    OwnHost,
}

impl fmt::Display for ExternalAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.as_deref().unwrap_or("GET");
        write!(f, "the word of {method} {}{}", self.host, self.target)?;
        match &self.server {
            AuthServer::Backend(key) => write!(f, " at {key}")?,
            AuthServer::OwnHost => f.write_str(" at the backend that serves it")?,
        }
        if !self.response_headers.is_empty() {
            write!(f, ", which gives {}", self.response_headers.join(", "))?;
        }
        if !self.request_headers.is_empty() {
            let names: Vec<&str> = self.request_headers.iter().map(|(name, _)| &**name).collect();
            write!(f, ", which is sent {}", names.join(", "))?;
        }
        if let Some(WordCache { key, .. }) = &self.cache {
            write!(f, ", kept for a while by {key}")?;
        }
        if let Some(sign_in) = &self.sign_in {
            write!(f, "; without it to {sign_in}")?;
        }
        Ok(())
    }
}
