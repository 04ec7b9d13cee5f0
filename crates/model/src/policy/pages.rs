//! What serves in the place of endpoints: pages for errors, and another backend for one that has no endpoint.

use std::fmt;

use crate::BackendKey;

/// What serves in the place of endpoints. It is told what it is for, in the fields of ingress-nginx.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pages {
    /// The statuses of answers that are replaced, sorted.
    pub statuses: Box<[u16]>,
    /// Whether those of endpoints are, too, and not only our own.
    pub of_endpoints: bool,
    /// The backend whose answers replace them; without one it is a plain 404.
    pub by: Option<BackendKey>,
    /// The backend that serves whole requests while the route's own has no endpoint.
    pub instead: Option<BackendKey>,
}

impl Pages {
    /// Whether an answer with this status is replaced.
    pub fn replace(&self, status: u16) -> bool {
        self.statuses.binary_search(&status).is_ok()
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.statuses.is_empty() {
            let statuses: Vec<String> = self.statuses.iter().map(ToString::to_string).collect();
            let whose = if self.of_endpoints { "" } else { " of our own" };
            match &self.by {
                Some(by) => write!(f, "{}{whose} by {by}", statuses.join(", "))?,
                None => write!(f, "{}{whose} by 404", statuses.join(", "))?,
            }
        }
        let comma = if self.statuses.is_empty() { "" } else { "; " };
        self.instead.as_ref().map_or(Ok(()), |instead| write!(f, "{comma}without endpoint {instead}"))
    }
}
