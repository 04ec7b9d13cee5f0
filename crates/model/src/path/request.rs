//! The normal form of a request's path.

use std::borrow::Cow;

use super::PathError;

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

pub(super) fn push_escape(out: &mut String, byte: u8) {
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
}
