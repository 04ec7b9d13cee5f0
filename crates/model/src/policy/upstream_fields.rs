//! What endpoints say of places, in the words of the host that clients know.

use std::fmt;
use std::sync::Arc;

/// Places that endpoints send clients to (`Location`, `Refresh`) and that begin with one text begin with another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceRewrite {
    /// What they begin with.
    pub from: Arc<str>,
    /// What takes its place.
    pub to: Arc<str>,
}

impl fmt::Display for PlaceRewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} becomes {}", self.from, self.to)
    }
}

/// What becomes of the cookies that endpoints set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CookieRewrite {
    /// This domain, which is compared without case and without a dot in front, and the one that takes its place.
    pub domain: Option<(Arc<str>, Arc<str>)>,
    /// What paths begin with, and what takes its place.
    pub path: Option<(Arc<str>, Arc<str>)>,
}

impl fmt::Display for CookieRewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [("domain", &self.domain), ("path", &self.path)];
        let mut words = all.iter().filter_map(|(word, rewrite)| Some((word, rewrite.as_ref()?))).peekable();
        while let Some((word, (from, to))) = words.next() {
            let comma = if words.peek().is_some() { ", " } else { "" };
            write!(f, "{word} {from} becomes {to}{comma}")?;
        }
        Ok(())
    }
}
