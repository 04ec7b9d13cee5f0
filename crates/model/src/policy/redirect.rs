//! Answers that send clients elsewhere.

use std::fmt;
use std::sync::Arc;

/// Clients that speak plain HTTP are sent to the same target over https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpsRedirect {
    /// The status, one of 3xx.
    pub status: u16,
    /// Whether the target loses the slash that it ends with, as with ingress-nginx.
    pub drop_trailing_slash: bool,
}

impl fmt::Display for HttpsRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.drop_trailing_slash { ", without its trailing slash" } else { "" };
        write!(f, "{}{slash}", self.status)
    }
}

/// Clients that ask for the root are sent to another path (302).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootRedirect {
    /// That path.
    pub path: Arc<str>,
}

impl fmt::Display for RootRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}
