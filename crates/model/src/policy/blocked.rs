//! Clients that are refused by what they say of themselves.

use std::fmt;
use std::sync::Arc;

use crate::Pattern;

/// What a request's `User-Agent` and `Referer` must not be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blocked {
    /// Programs that are refused.
    pub user_agents: Vec<FieldMatch>,
    /// Pages whose links are refused.
    pub referers: Vec<FieldMatch>,
}

/// What a field's value is compared with, as nginx' `map` does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldMatch {
    /// All of it, whatever its letters' case.
    Whole(Arc<str>),
    /// Any part of it.
    Part(Pattern),
}

impl FieldMatch {
    /// Whether this value is meant.
    pub fn matches(&self, value: &[u8]) -> bool {
        match self {
            FieldMatch::Whole(text) => text.as_bytes().eq_ignore_ascii_case(value),
            FieldMatch::Part(pattern) => pattern.matches(value),
        }
    }
}

impl fmt::Display for FieldMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldMatch::Whole(text) => write!(f, "{text:?}"),
            FieldMatch::Part(pattern) => write!(f, "~{:?}", pattern.as_str()),
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |all: &[FieldMatch]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "no user agent of [{}], no referer of [{}]", join(&self.user_agents), join(&self.referers))
    }
}
