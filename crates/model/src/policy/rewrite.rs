//! The target that endpoints get in place of the one that came.

use std::fmt;
use std::sync::Arc;

use crate::{Captures, PathMatch, RequestPath, escape_decoded};

/// Most pieces of a template: somebody's path may be in it more than once, and long.
const PARTS_MAX: usize = 32;
/// Most bytes of the path that it becomes.
const PATH_BYTES_MAX: usize = 16 << 10;

/// The path is another one; the query stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rewrite {
    /// The path that endpoints get.
    pub path: PathTemplate,
    /// What endpoints get as `X-Forwarded-Prefix`.
    pub prefix: Option<PathTemplate>,
}

/// What an endpoint gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// A path, which begins with a slash, and the query.
    pub target: String,
    /// The prefix.
    pub prefix: Option<String>,
}

impl Rewrite {
    /// What becomes of a request for this path and query that the route's path has matched. None if it would be too long.
    pub fn apply(&self, route: &PathMatch, path: &RequestPath<'_>, query: Option<&str>) -> Option<Rewritten> {
        let (decoded, normal) = (path.decoded(), path.matching());
        let captures = route.captures(&decoded);
        let path = match route {
            PathMatch::Prefix(prefix) if self.path.is_below() => normal.get(prefix.len()..)?.to_owned(),
            _ => self.path.fill(&decoded, captures.as_ref())?,
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let query = query.filter(|query| !query.is_empty());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let prefix = match &self.prefix {
            Some(prefix) => Some(prefix.fill(&decoded, captures.as_ref())?),
            None => None,
        };
        Some(Rewritten { target: format!("{slash}{path}{query}"), prefix })
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        self.prefix.iter().try_for_each(|prefix| write!(f, ", x-forwarded-prefix {prefix}"))
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// A text with places for what a pattern has captured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathTemplate {
    written: Arc<str>,
    parts: Arc<[Part]>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Text(Arc<str>),
    /// `$1` to `$9`: one digit, as nginx has it.
    Group(usize),
    /// `$name`, of a group with a name.
    Named(Arc<str>),
    /// `$uri`: the whole path.
    Path,
    /// What of the path is below that of a route for a prefix.
    Below,
}

impl PathTemplate {
    /// Reads one in the words of nginx.
    ///
    /// # Errors
    /// Says which of it is no such word.
    pub fn parse(written: &str) -> Result<PathTemplate, String> {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some((text, after)) = rest.split_once('$') {
            parts.push(Part::Text(text.into()));
            let end = after.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'));
            let name = &after[..end.unwrap_or(after.len())];
            let (part, length) = match name.as_bytes() {
                [digit @ b'1'..=b'9', ..] => (Part::Group(usize::from(digit - b'0')), 1),
                b"uri" => (Part::Path, name.len()),
                [b'0'..=b'9', ..] | [] => return Err(format!("${name}")),
                _ => (Part::Named(name.into()), name.len()),
            };
            parts.push(part);
            rest = &after[length..];
        }
        parts.push(Part::Text(rest.into()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if parts.len() > PARTS_MAX {
            return Err(format!("more than {PARTS_MAX} pieces"));
        }
        Ok(PathTemplate { written: written.into(), parts: parts.into() })
    }

    /// The root.
    pub fn root() -> PathTemplate {
        PathTemplate { written: "/".into(), parts: Arc::new([Part::Text("/".into())]) }
    }

    /// What of the path is below that of the route, which is for a prefix.
    pub fn below() -> PathTemplate {
        PathTemplate { written: "what is below the path".into(), parts: Arc::new([Part::Below]) }
    }

    fn is_below(&self) -> bool {
        matches!(*self.parts, [Part::Below])
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it is a URL with a scheme, and no path.
    pub fn is_url(&self) -> bool {
        ["http://", "https://"].iter().any(|scheme| self.written.starts_with(scheme))
    }

    /// The names of groups in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Named(name) => Some(&**name),
            Part::Text(_) | Part::Group(_) | Part::Path | Part::Below => None,
        })
    }

    /// What becomes of it for this path, decoded, and what the pattern has captured of that. What there is no capture for is
    /// empty; whatever was captured, nothing in the result could end a path, a line or a field. None if it would be too long.
    pub fn fill(&self, path: &[u8], captures: Option<&Captures<'_>>) -> Option<String> {
        let mut filled = String::new();
        for part in &*self.parts {
            let value = match part {
                Part::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Part::Path => Some(path),
                Part::Group(group) => captures.and_then(|captures| captures.get(*group)),
                Part::Named(name) => captures.and_then(|captures| captures.name(name)),
                Part::Below => None,
            };
            filled.push_str(&escape_decoded(value.unwrap_or_default()));
            if filled.len() > PATH_BYTES_MAX {
                return None;
            }
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pattern;

    fn fill(template: &str, pattern: &str, path: &[u8]) -> Option<String> {
        let pattern = Pattern::of_location(pattern, pattern).expect("a pattern");
        let template = PathTemplate::parse(template).expect("a template");
        template.fill(path, pattern.captures(path).as_ref())
    }

    #[test]
    fn a_template_is_filled_as_nginx_fills_it() {
        for (template, pattern, path, filled) in [
            ("/$2", "/something(/|$)(.*)", &b"/something/a b"[..], "/a%20b"),
            ("/x/$10", "/(.)(.)", b"/ab", "/x/a0"),
            ("/x/$2$1", "/(.*)", b"/a", "/x/a"),
            ("/x$uri", "/", b"/a/b", "/x/a/b"),
            ("/x/$who", "/(?<who>[^/]+)", b"/joe/x", "/x/joe"),
            ("$1", "/(.*)", b"/", ""),
            ("/$1", "/([^$]*)", b"/a?b\r\nX: y#%", "/a%3Fb%0D%0AX:%20y%23%25"),
        ] {
            assert_eq!(fill(template, pattern, path).as_deref(), Some(filled), "{template}");
        }
    }

    #[test]
    fn what_nginx_does_not_know_is_refused() {
        for written in ["/x$", "/$0", "/$", "/$/x", "/${1}", &"/$1".repeat(40)] {
            assert!(PathTemplate::parse(written).is_err(), "{written}");
        }
    }

    #[test]
    fn no_path_grows_without_bound() {
        let path = [b"/".as_slice(), &[b'"'; 4 << 10]].concat();
        assert_eq!(fill("/$1$1", "/(.*)", &path), None);
        assert!(fill("/$1", "/(.*)", &path).is_some());
    }
}
