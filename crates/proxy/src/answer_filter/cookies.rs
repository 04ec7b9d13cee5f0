//! Domains and paths of cookies that endpoints set.

use http::header::{self, HeaderMap, HeaderValue};
use model::CookieRewrite;

/// Rewrites the cookies of a head. One that is changed is written anew; all others stay as they came.
pub(super) fn rewrite(rewrite: &CookieRewrite, head: &mut HeaderMap) {
    let header::Entry::Occupied(mut cookies) = head.entry(header::SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        if let Some(value) = rewritten(rewrite, cookie.as_bytes()) {
            *cookie = value;
        }
    }
}

/// The cookie, if it is another one. The first pair is its name and value (RFC 6265 §5.2).
fn rewritten(rewrite: &CookieRewrite, cookie: &[u8]) -> Option<HeaderValue> {
    let (mut written, mut changed) = (Vec::with_capacity(cookie.len() + 16), false);
    for (at, attribute) in cookie.split(|byte| *byte == b';').enumerate() {
        let equals = attribute.iter().position(|byte| *byte == b'=');
        let name = spaceless(&attribute[..equals.unwrap_or(attribute.len())]);
        let value = equals.map(|equals| spaceless(&attribute[equals + 1..]));
        if at > 0 {
            written.extend_from_slice(b"; ");
        }
        written.extend_from_slice(name);
        let Some(value) = value else { continue };
        written.push(b'=');
        let other = if at > 0 { other_value(rewrite, name, value) } else { None };
        changed |= other.is_some();
        written.extend_from_slice(other.as_deref().unwrap_or(value));
    }
    if changed { HeaderValue::from_bytes(&written).ok() } else { None }
}

fn other_value(rewrite: &CookieRewrite, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    if name.eq_ignore_ascii_case(b"domain") {
        let (from, to) = rewrite.domain.as_ref()?;
        let dot = value.len() - value.strip_prefix(b".").unwrap_or(value).len();
        let is_it = value[dot..].eq_ignore_ascii_case(from.as_bytes());
        is_it.then(|| [&value[..dot], to.as_bytes()].concat())
    } else if name.eq_ignore_ascii_case(b"path") {
        let (from, to) = rewrite.path.as_ref()?;
        Some([to.as_bytes(), value.strip_prefix(from.as_bytes())?].concat())
    } else {
        None
    }
}

/// Without the spaces around it.
fn spaceless(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
    let to = text.iter().rposition(|byte| *byte != b' ').map_or(from, |last| last + 1);
    &text[from..to]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_whole_and_paths_by_what_they_begin_with() {
        let pair = |from: &str, to: &str| Some((from.into(), to.into()));
        let rule = CookieRewrite { domain: pair("up.com", "pub.com"), path: pair("/a", "/b") };
        for (cookie, expected) in [
            ("a=b;Domain=up.com;Path=/A", Some("a=b; Domain=pub.com; Path=/A")),
            ("a=b; domain = .UP.com; Secure; path=/ab", Some("a=b; domain=.pub.com; Secure; path=/bb")),
            ("a=b; domain=x.up.com", None),
            ("a=b; domain=up.comx;  Path", None),
            ("domain=up.com", None),
        ] {
            let value = rewritten(&rule, cookie.as_bytes());
            assert_eq!(value.as_ref().map(|value| value.to_str().expect("text")), expected, "{cookie}");
        }
    }
}
