//! Paths: as an Ingress writes them and as a request carries them. Both have one normal form, in which they are compared.

mod escape;
mod request;

use std::fmt;
use std::sync::Arc;

use crate::pattern::{Captures, Pattern};

pub use escape::{escape, escape_decoded, escape_target, must_be_escaped};
pub use request::RequestPath;
use request::{push_escape, undo_escapes};

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// A `%` without two hexadecimal digits after it, or `%00`.
    Escape,
    /// A byte that must be escaped in a path.
    Byte,
    /// A `..` that goes above the root.
    AboveRoot,
    /// A dot segment beside two slashes, an escaped slash, a backslash or a semicolon: servers disagree on what it means.
    AmbiguousDots,
    /// `//`, a dot segment or an escaped slash in a rule, which no request could match.
    Unmatchable,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathError::NotAbsolute => "the path does not begin with /",
            PathError::Escape => "the path has a % that two hexadecimal digits must follow, or %00",
            PathError::Byte => "the path has a byte that must be percent-encoded",
            PathError::AboveRoot => "the path has a .. that goes above the root",
            PathError::AmbiguousDots => {
                "the path has a dot segment beside //, an escaped slash, a backslash or a semicolon"
            }
            PathError::Unmatchable => "the path has //, a dot segment or an escaped slash",
        })
    }
}

impl std::error::Error for PathError {}

/// Which paths a route matches: as Ingress v1 has it (`pathType`), or by a pattern.
///
/// Of one host they are asked as nginx asks its locations: first Exact (`=`), then patterns (`~`, `~*`), then Prefix, the
/// longest first. So a pattern that matches goes before every Prefix, however long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathMatch {
    /// This path and no other.
    Exact(Arc<str>),
    /// This path and all below it, by whole elements; kept without its final slash, so `/` is the empty string.
    Prefix(Arc<str>),
    /// All paths that the pattern matches, of which it sees the bytes that their escapes stand for.
    Pattern(Pattern),
}

impl PathMatch {
    /// `pathType: Exact`.
    ///
    /// # Errors
    /// Refuses what the API server refuses, and what no request's normal form could equal.
    pub fn exact(raw: &str) -> Result<PathMatch, PathError> {
        Ok(PathMatch::Exact(rule_path(raw)?.into()))
    }

    /// `pathType: Prefix`, and `ImplementationSpecific`, which means the same here.
    ///
    /// # Errors
    /// Refuses what the API server refuses, and what no request's normal form could begin with.
    pub fn prefix(raw: &str) -> Result<PathMatch, PathError> {
        let path = rule_path(raw)?;
        Ok(PathMatch::Prefix(path.strip_suffix('/').unwrap_or(&path).into()))
    }

    /// Whether it stands for a whole host.
    pub fn is_root(&self) -> bool {
        match self {
            PathMatch::Exact(path) => **path == *"/",
            PathMatch::Prefix(path) => path.is_empty(),
            PathMatch::Pattern(pattern) => matches!(pattern.as_str(), "/" | "^/"),
        }
    }

    /// Whether a request for `path` is for this rule.
    pub fn matches(&self, path: &RequestPath<'_>) -> bool {
        match self {
            PathMatch::Exact(exact) => **exact == *path.matching(),
            PathMatch::Prefix(prefix) => {
                let rest = path.matching().strip_prefix(&**prefix);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            PathMatch::Pattern(pattern) => pattern.matches(path.decoded()),
        }
    }

    /// What the groups of a pattern have matched of a request's [decoded](RequestPath::decoded) path; none for other kinds.
    /// It is computed when it is asked for: to find the route it is not needed.
    pub fn captures<'p>(&self, decoded: &'p [u8]) -> Option<Captures<'p>> {
        match self {
            PathMatch::Exact(_) | PathMatch::Prefix(_) => None,
            PathMatch::Pattern(pattern) => pattern.captures(decoded),
        }
    }

    /// The path or the pattern as text, with its final slash where it is the root.
    pub fn as_str(&self) -> &str {
        match self {
            PathMatch::Exact(path) => path,
            PathMatch::Prefix(path) if path.is_empty() => "/",
            PathMatch::Prefix(path) => path,
            PathMatch::Pattern(pattern) => pattern.as_str(),
        }
    }

    /// `Exact`, `Prefix` or `Pattern`.
    pub fn kind(&self) -> &'static str {
        match self {
            PathMatch::Exact(_) => "Exact",
            PathMatch::Prefix(_) => "Prefix",
            PathMatch::Pattern(_) => "Pattern",
        }
    }
}

impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.as_str())
    }
}

/// A rule's path in the form that [`RequestPath::matching`] has.
fn rule_path(raw: &str) -> Result<String, PathError> {
    if !raw.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let mut escaped = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        match byte {
            // What a client cannot put into a request target raw arrives escaped.
            0..=b' ' | 0x7f.. => push_escape(&mut escaped, byte),
            _ => escaped.push(char::from(byte)),
        }
    }
    let path = RequestPath::parse(&escaped)?;
    // The same list as the API server's for Exact and Prefix (networking/v1 validation).
    if path.matching() != undo_escapes(&escaped)? || escaped.to_ascii_lowercase().contains("%2f") {
        return Err(PathError::Unmatchable);
    }
    Ok(path.matching().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_matches_a_request_written_otherwise() {
        let rule = PathMatch::prefix("/caf\u{e9} x/").expect("a rule");
        for (raw, expected) in [("/caf%c3%A9%20x/menu", true), ("/caf%C3%A9%20%78", true), ("/caf", false)] {
            assert_eq!(rule.matches(&RequestPath::parse(raw).expect("a path")), expected, "{raw}");
        }
    }

    #[test]
    fn a_rule_that_nothing_could_match_is_refused() {
        for raw in ["", "a", "/a//b", "//", "/a/../b", "/../a", "/a/.", "/a/%2e", "/a%2fb", "/a%2F", "/%zz"] {
            assert!(PathMatch::exact(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_rule_guards_every_spelling_of_its_path() {
        let rule = PathMatch::prefix("/admin").expect("a rule");
        for raw in
            ["//admin", "/x/../admin/", "/%61dmin", "/./admin//x", "/admin%2fx", "/%2fadmin", "/%2E/admin"]
        {
            assert!(rule.matches(&RequestPath::parse(raw).expect("a path")), "{raw}");
        }
    }
}
