//! What routes ask of a request.
//!
//! Owns: the trait that the request path, `explain` and tests answer, and how a query and a cookie field are read.
//! Never: a type of an HTTP library. Start at [`Facts`].

use std::borrow::Cow;

use crate::{RequestHost, RequestPath};

/// A request as far as routes depend on it. Nothing is asked that the routes of the request's host do not need: for most
/// of them that is host and path alone, so an implementation should compute the rest when it is asked.
pub trait Facts {
    /// Its host; none for a request of HTTP/1.0 that names none.
    fn host(&self) -> Option<&RequestHost<'_>>;

    /// Its path in normal form. Patterns match this form too, so that no spelling of a path avoids one.
    fn path(&self) -> &RequestPath<'_>;

    /// Its method.
    fn method(&self) -> &str;

    /// Whether TLS is spoken with its client.
    fn is_secure(&self) -> bool;

    /// The value of a header field, whose name is given in lower case: of several fields of one name their values in
    /// order, with a comma and a space between (RFC 9110 §5.3). None if the value is not UTF-8.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The value of a query parameter; see [`query_parameter`].
    fn query(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The value of a cookie; see [`cookie_in`].
    fn cookie(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// A GET request over plain HTTP for a path, with no header field, query parameter or cookie.
#[derive(Clone, Copy, Debug)]
pub struct Get<'r> {
    /// Its host.
    pub host: Option<&'r RequestHost<'r>>,
    /// Its path.
    pub path: &'r RequestPath<'r>,
}

impl Facts for Get<'_> {
    fn host(&self) -> Option<&RequestHost<'_>> {
        self.host
    }

    fn path(&self) -> &RequestPath<'_> {
        self.path
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn is_secure(&self) -> bool {
        false
    }

    fn header(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn query(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn cookie(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The value of the first parameter of this name in a query, as forms write it (WHATWG URL, `urlencoded` parser): escapes
/// are undone and a `+` is a space, in names and in values. A parameter without `=` has the empty value; one that is not
/// UTF-8 has none.
pub fn query_parameter<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    let parameters = query.split('&').map(|one| one.split_once('=').unwrap_or((one, "")));
    let mut named =
        parameters.filter(|(written, _)| unescape(written).is_some_and(|written| written == name));
    named.next().and_then(|(_, value)| unescape(value))
}

/// Undoes the escapes of a form; what is no escape stays as it is.
fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains(['%', '+']) {
        return Some(Cow::Borrowed(raw));
    }
    let (mut out, mut rest) = (Vec::with_capacity(raw.len()), raw.as_bytes());
    while let [byte, after @ ..] = rest {
        let escaped = if *byte == b'%' { escaped_byte(after) } else { None };
        match (escaped, byte) {
            (Some(byte), _) => {
                out.push(byte);
                rest = &after[2..];
                continue;
            }
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(*byte),
        }
        rest = after;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// The value of the first cookie of this name in a `Cookie` field (RFC 6265 §5.4), as it is written. None if it is not
/// UTF-8.
pub fn cookie_in<'f>(field: &'f [u8], name: &str) -> Option<&'f str> {
    let mut pairs = field.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    pairs.find_map(|pair| str::from_utf8(pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_parameter_is_found_however_it_is_spelled() {
        for (query, expected) in [
            ("a=1", Some("1")),
            ("b=2&a=1&a=3", Some("1")),
            ("a", Some("")),
            ("%61=%31+2%2B", Some("1 2+")),
            ("a=caf%C3%A9", Some("caf\u{e9}")),
            ("a=%&b", Some("%")),
            ("a=%4", Some("%4")),
            ("a=%+1", Some("% 1")),
            ("a=%ff&a=1", None),
            ("aa=1&b=a=1", None),
            ("", None),
        ] {
            assert_eq!(query_parameter(query, "a").as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn a_query_without_escapes_is_borrowed() {
        assert!(matches!(query_parameter("x=y&a=b", "a"), Some(Cow::Borrowed("b"))));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        for (field, expected) in [
            (&b"a=1"[..], Some("1")),
            (b"aa=0; a=1; a=2", Some("1")),
            (b"b=\xff;a=x=y", Some("x=y")),
            (b"a=", Some("")),
            (b"a=\xff", None),
            (b"a; b=a", None),
            (b"", None),
        ] {
            assert_eq!(cookie_in(field, "a"), expected, "{field:?}");
        }
    }
}
