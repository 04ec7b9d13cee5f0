//! Paths: as an Ingress writes them and as a request carries them. One normal form serves matching and forwarding.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// A `%` without two hexadecimal digits after it, or `%00`.
    Escape,
    /// A byte that must be escaped in a path.
    Byte,
    /// An escaped slash or backslash beside a dot segment: servers disagree on what it means.
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
            PathError::AmbiguousDots => "the path has an escaped slash or a backslash beside a dot segment",
            PathError::Unmatchable => "the path has //, a dot segment or an escaped slash",
        })
    }
}

impl std::error::Error for PathError {}

/// Which paths a route matches (Ingress v1 `pathType`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathMatch {
    /// This path and no other.
    Exact(Arc<str>),
    /// This path and all below it, by whole elements; kept without its final slash, so `/` is the empty string.
    Prefix(Arc<str>),
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

    /// Whether a request for `path` is for this rule.
    pub fn matches(&self, path: &RequestPath<'_>) -> bool {
        let path = path.matching();
        match self {
            PathMatch::Exact(exact) => **exact == *path,
            PathMatch::Prefix(prefix) => {
                path.strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }

    /// The path as text, with its final slash where it is the root.
    pub fn as_str(&self) -> &str {
        match self {
            PathMatch::Exact(path) => path,
            PathMatch::Prefix(path) if path.is_empty() => "/",
            PathMatch::Prefix(path) => path,
        }
    }

    /// `Exact` or `Prefix`.
    pub fn kind(&self) -> &'static str {
        match self {
            PathMatch::Exact(_) => "Exact",
            PathMatch::Prefix(_) => "Prefix",
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
            0..=b' ' | b'"' | b'#' | b'<' | b'>' | b'?' | b'`' | b'{' | b'}' | 0x7f.. => {
                push_escape(&mut escaped, byte)
            }
            _ => escaped.push(char::from(byte)),
        }
    }
    let path = RequestPath::parse(&escaped)?;
    // The same list as the API server's for Exact and Prefix (networking/v1 validation).
    let lower = escaped.to_ascii_lowercase();
    if path.forward() != escaped || lower.contains("//") || lower.contains("%2f") {
        return Err(PathError::Unmatchable);
    }
    Ok(path.matching().to_owned())
}

/// The path of a request in normal form.
///
/// [`forward`](RequestPath::forward) is what the upstream gets: dot segments are resolved (RFC 3986 §5.2.4), every
/// other byte is as the client sent it. [`matching`](RequestPath::matching) is what routes are found by: the same
/// path with escapes that change nothing undone (RFC 3986 §6.2.2), so that `/%61dmin` cannot slip past a rule for
/// `/admin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'a> {
    forward: Cow<'a, str>,
    matching: Option<String>,
}

impl<'a> RequestPath<'a> {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    /// Says what is wrong; the request is answered 400.
    pub fn parse(raw: &'a str) -> Result<RequestPath<'a>, PathError> {
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let (mut escapes, mut dots, mut before) = (false, false, b'/');
        for byte in raw.bytes() {
            match byte {
                b'%' => escapes = true,
                b'.' if before == b'/' => dots = true,
                0..=b' ' | 0x7f.. => return Err(PathError::Byte),
                // Beside a dot segment a backslash is ambiguous; that check needs the slow path.
                b'\\' => dots = true,
                _ => {}
            }
            before = byte;
        }
        if !escapes && !dots {
            return Ok(RequestPath { forward: Cow::Borrowed(raw), matching: None });
        }
        if escapes {
            check_escapes(raw)?;
        }
        let forward = resolve_dots(raw)?;
        let matching = if escapes { Some(undo_needless_escapes(&forward)) } else { None };
        Ok(RequestPath { forward, matching })
    }

    /// The path for the upstream.
    pub fn forward(&self) -> &str {
        &self.forward
    }

    /// The path that routes are found by.
    pub fn matching(&self) -> &str {
        self.matching.as_deref().unwrap_or(&self.forward)
    }
}

fn check_escapes(raw: &str) -> Result<(), PathError> {
    let bytes = raw.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'%') {
        match bytes.get(at + 1..at + 3) {
            Some(b"00") | None => return Err(PathError::Escape),
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => {}
            Some(_) => return Err(PathError::Escape),
        }
    }
    Ok(())
}

/// Removes `.` and `..` segments, written plainly or as `%2e`.
fn resolve_dots(raw: &str) -> Result<Cow<'_, str>, PathError> {
    if !raw.split('/').any(|segment| is_dot(segment) || is_dot_dot(segment)) {
        raw.split('/').try_for_each(check_ambiguous)?;
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = String::with_capacity(raw.len());
    let mut segments = raw[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        check_ambiguous(segment)?;
        let last = segments.peek().is_none();
        if is_dot_dot(segment) {
            out.truncate(out.rfind('/').unwrap_or(0));
        }
        if is_dot(segment) || is_dot_dot(segment) {
            if last {
                out.push('/');
            }
        } else {
            out.push('/');
            out.push_str(segment);
        }
    }
    Ok(Cow::Owned(out))
}

fn is_dot(segment: &str) -> bool {
    segment == "." || segment.eq_ignore_ascii_case("%2e")
}

fn is_dot_dot(segment: &str) -> bool {
    match segment.len() {
        2 => segment == "..",
        4 => segment.eq_ignore_ascii_case(".%2e") || segment.eq_ignore_ascii_case("%2e."),
        6 => segment.eq_ignore_ascii_case("%2e%2e"),
        _ => false,
    }
}

/// An upstream that takes `%2f`, `%5c` or `\` for a slash would see a dot segment where we see none.
fn check_ambiguous(segment: &str) -> Result<(), PathError> {
    if !segment.contains(['%', '\\']) {
        return Ok(());
    }
    let slashed = segment.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
    if slashed.contains('/') && slashed.split('/').any(|part| is_dot(part) || is_dot_dot(part)) {
        return Err(PathError::AmbiguousDots);
    }
    Ok(())
}

/// Decodes escaped unreserved characters and writes the other escapes in upper case.
fn undo_needless_escapes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let byte = u8::from_str_radix(&rest[at + 1..at + 3], 16).unwrap_or(b'%');
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            push_escape(&mut out, byte);
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

fn push_escape(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_are_resolved_and_all_else_is_forwarded_byte_for_byte() {
        for (raw, forward) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/../../a", "/a"),
            ("/..", "/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/a//b", "/a//b"),
            ("/a//../b", "/a/b"),
            ("/A;x=1/%2Fb/%c3%A9", "/A;x=1/%2Fb/%c3%A9"),
            ("/.well-known/x", "/.well-known/x"),
            ("/a...b/..c", "/a...b/..c"),
            ("/a\\b", "/a\\b"),
        ] {
            let path = RequestPath::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
            assert_eq!(path.forward(), forward, "{raw}");
        }
    }

    #[test]
    fn needless_escapes_do_not_hide_a_path_from_its_rule() {
        let path = RequestPath::parse("/%61dmin%2f%c3%a9").expect("a path");
        assert_eq!((path.matching(), path.forward()), ("/admin%2F%C3%A9", "/%61dmin%2f%c3%a9"));
    }

    #[test]
    fn a_path_that_servers_read_differently_is_refused() {
        for raw in [
            "",
            "a",
            "*",
            "/%",
            "/%1",
            "/%zz",
            "/a%00",
            "/a\u{e9}",
            "/a\u{1}",
            "/..%2fa",
            "/a%2f..",
            "/..%5ca",
            "/..\\a",
            "/a/%2e%2e%2fb",
            "/x/..%2f../y",
        ] {
            assert!(RequestPath::parse(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_rule_matches_a_request_written_otherwise() {
        let rule = PathMatch::prefix("/caf\u{e9} x/").expect("a rule");
        for (raw, expected) in [("/caf%c3%A9%20x/menu", true), ("/caf%C3%A9%20%78", true), ("/caf", false)] {
            assert_eq!(rule.matches(&RequestPath::parse(raw).expect("a path")), expected, "{raw}");
        }
    }

    #[test]
    fn a_rule_that_nothing_could_match_is_refused() {
        for raw in ["", "a", "/a//b", "/a/../b", "/a/.", "/a%2fb", "/%zz"] {
            assert!(PathMatch::exact(raw).is_err(), "{raw}");
        }
    }
}
