//! A request's path as routes are found by it.

use std::borrow::Cow;

use super::{PathError, escape};

/// The path of a request in the normal form that routes are found by; an upstream gets the path as it came.
///
/// The form is what nginx takes a location by, so that no spelling of a path finds another route than the path
/// itself: escapes are undone, an escaped slash among them, slashes in a row are one, and dot segments are resolved.
/// A byte that no text has, and a `%` itself, stay escaped, in upper case.
///
/// An endpoint reads the path anew and may be of another mind about a dot segment beside an odd slash. Such a path is
/// refused: what one rule guards could be reached by way of another, and no client sends it in earnest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'a>(Cow<'a, str>);

impl<'a> RequestPath<'a> {
    /// Reads the path of a request target, without its query. Allocates nothing for a path in normal form.
    ///
    /// # Errors
    /// Says what is wrong; the request is answered 400.
    pub fn parse(raw: &'a str) -> Result<RequestPath<'a>, PathError> {
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let (mut normal, mut before) = (true, b' ');
        for byte in raw.bytes() {
            match byte {
                b'%' | b'\\' => normal = false,
                b'/' | b'.' if before == b'/' => normal = false,
                0..=b' ' | 0x7f.. => return Err(PathError::Byte),
                _ => {}
            }
            before = byte;
        }
        if normal { Ok(RequestPath(Cow::Borrowed(raw))) } else { normalize(raw).map(RequestPath) }
    }

    /// The path that routes are found by.
    pub fn matching(&self) -> &str {
        &self.0
    }

    /// The same with all escapes undone, as patterns see it: nginx' do.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        if !self.0.contains('%') {
            return Cow::Borrowed(self.0.as_bytes());
        }
        let mut decoded = Vec::with_capacity(self.0.len());
        let mut rest = self.0.bytes();
        while let Some(byte) = rest.next() {
            // In normal form two digits, in upper case, follow each of them.
            decoded.push(if byte == b'%' { 16 * digit(rest.next()) + digit(rest.next()) } else { byte });
        }
        Cow::Owned(decoded)
    }
}

fn digit(hex: Option<u8>) -> u8 {
    hex.and_then(|hex| char::from(hex).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .unwrap_or_default()
}

/// Resolves the dot segments, each written plainly or as `%2e`, and only then undoes the other escapes: what is left has no
/// dot segment however it is read.
fn normalize(raw: &str) -> Result<Cow<'_, str>, PathError> {
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    let mut is_folder = false;
    for segment in raw[1..].split('/') {
        let segment = undo_escapes(segment)?;
        is_folder = true;
        match &*segment {
            "." => {}
            ".." => {
                let parent = kept.pop().ok_or(PathError::AboveRoot)?;
                // Is the parent of /a// what is before one slash, or before both?
                if parent.contains(['/', '\\']) || without_parameters(&parent).is_empty() {
                    return Err(PathError::AmbiguousDots);
                }
            }
            _ if is_ambiguous(&segment) => return Err(PathError::AmbiguousDots),
            name => {
                is_folder = name.is_empty();
                kept.push(segment);
            }
        }
    }
    let mut path = String::with_capacity(raw.len());
    for element in kept.iter().flat_map(|segment| segment.split('/')).filter(|element| !element.is_empty()) {
        path.push('/');
        path.push_str(element);
    }
    if is_folder || path.is_empty() || kept.last().is_some_and(|last| last.ends_with('/')) {
        path.push('/');
    }
    Ok(if path == raw { Cow::Borrowed(raw) } else { Cow::Owned(path) })
}

/// Whether an upstream may see a dot segment in what is none to us: it takes an escaped slash or a backslash for a slash, or
/// leaves out the parameters, as servlet containers do.
fn is_ambiguous(segment: &str) -> bool {
    segment.split(['/', '\\']).any(|part| matches!(without_parameters(part), "." | ".."))
}

fn without_parameters(segment: &str) -> &str {
    segment.split(';').next().unwrap_or(segment)
}

/// Undoes the escapes of printable ASCII, save that of `%`, and writes the others in upper case.
pub(super) fn undo_escapes(raw: &str) -> Result<Cow<'_, str>, PathError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.ok_or(PathError::Escape)? {
            0 => return Err(PathError::Escape),
            byte @ (b'!'..=b'$' | b'&'..=b'~') => out.push(char::from(byte)),
            byte => push_escape(&mut out, byte),
        }
        rest = &after[2..];
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

pub(super) fn push_escape(out: &mut String, byte: u8) {
    out.extend(escape(byte).map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_has_one_form() {
        for (raw, matching) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("//", "/"),
            ("//a", "/a"),
            ("/a//b", "/a/b"),
            ("/a//", "/a/"),
            ("/a%2Fb", "/a/b"),
            ("/a%2fb%2F", "/a/b/"),
            ("/%2F/a", "/a"),
            ("/%2f", "/"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/.", "/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/%2e/a", "/a"),
            ("//a/../b", "/b"),
            ("/a/b//c/../d", "/a/b/d"),
            ("/%61dmin", "/admin"),
            ("/a%40b%3bc%2b%21", "/a@b;c+!"),
            ("/a%3Fb%23", "/a?b#"),
            ("/a%252e%2520", "/a%252e%2520"),
            ("/%c3%A9%20%7f", "/%C3%A9%20%7F"),
            ("/.well-known/x", "/.well-known/x"),
            ("/a...b/..c/...", "/a...b/..c/..."),
            ("/A;x=1/b", "/A;x=1/b"),
            ("/a\\b%5c", "/a\\b\\"),
        ] {
            let path = RequestPath::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
            assert_eq!(path.matching(), matching, "{raw}");
        }
    }

    #[test]
    fn a_decoded_path_has_the_bytes_that_its_escapes_stand_for() {
        for (raw, decoded) in [
            ("/a%2525%20%c3%A9%0a", &b"/a%25 \xc3\xa9\n"[..]),
            ("/a%2541%41", b"/a%41A"),
            ("/a", b"/a"),
            ("/caf%E9", b"/caf\xe9"),
        ] {
            assert_eq!(RequestPath::parse(raw).expect("a path").decoded(), decoded, "{raw}");
        }
    }

    #[test]
    fn a_path_in_normal_form_is_borrowed() {
        for raw in ["/", "/a/b/", "/a.b/c..d", "/.well-known/x", "/a%20b"] {
            assert!(matches!(RequestPath::parse(raw), Ok(RequestPath(Cow::Borrowed(_)))), "{raw}");
        }
    }

    #[test]
    fn a_path_that_servers_read_differently_is_refused() {
        use PathError::{AboveRoot, AmbiguousDots, Byte, Escape, NotAbsolute};
        for (why, raws) in [
            (NotAbsolute, &["", "a", "*", "%2f", ".."][..]),
            (Escape, &["/%", "/%1", "/%zz", "/%+1", "/a%00"]),
            (Byte, &["/\u{e9}", "/%\u{20ac}", "/a\u{1}", "/a b", "/\u{7f}"]),
            (AboveRoot, &["/..", "/../a", "/a/../..", "/%2e%2e/a", "/./../a"]),
            (AmbiguousDots, &["/..%2fa", "/a%2f..", "/..%5ca", "/x/..\\a", "/a/%2e%2e%2fb", "/x%2f.%2fy"]),
            // Is it /a/c, or /c?
            (AmbiguousDots, &["/a//../c", "//../c", "/a%2fb/../c", "/a%2f/../c", "/a\\b/../c", "/a/;x/../c"]),
            (AmbiguousDots, &["/a/..;/b", "/a/..;x=1", "/a/.;/b", "/a/%2e.%3b/b"]),
        ] {
            for raw in raws {
                assert_eq!(RequestPath::parse(raw), Err(why), "{raw:?}");
            }
        }
    }
}
