//! Places that endpoints send clients to.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::PlaceRewrite;

/// What stands before the place in the value of `Refresh`.
const URL: &[u8] = b"url=";

/// Rewrites the places in a head, those that begin as they should.
pub(super) fn rewrite(rewrite: &PlaceRewrite, head: &mut HeaderMap) {
    if let Some(location) = head.get(header::LOCATION)
        && let Some(value) = rewritten(rewrite, location.as_bytes(), 0)
    {
        head.insert(header::LOCATION, value);
    }
    let name = HeaderName::from_static("refresh");
    if let Some(refresh) = head.get(&name)
        && let Some(value) =
            after_url(refresh.as_bytes()).and_then(|at| rewritten(rewrite, refresh.as_bytes(), at))
    {
        head.insert(name, value);
    }
}

/// Where the place begins in the value of `Refresh`.
fn after_url(value: &[u8]) -> Option<usize> {
    let found = value.windows(URL.len()).position(|word| word.eq_ignore_ascii_case(URL));
    found.map(|at| at + URL.len())
}

fn rewritten(PlaceRewrite { from, to }: &PlaceRewrite, value: &[u8], at: usize) -> Option<HeaderValue> {
    let rest = value[at..].strip_prefix(from.as_bytes())?;
    HeaderValue::from_bytes(&[&value[..at], to.as_bytes(), rest].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_begin_as_they_should_begin_otherwise() {
        let rule = PlaceRewrite { from: "http://up/a".into(), to: "http://pub/b".into() };
        for (name, value, expected) in [
            ("location", "http://up/a/x", "http://pub/b/x"),
            ("location", "HTTP://up/a/x", "HTTP://up/a/x"),
            ("location", "/x", "/x"),
            ("refresh", "5;URL=http://up/a/x", "5;URL=http://pub/b/x"),
            ("refresh", "http://up/a/x", "http://up/a/x"),
        ] {
            let mut head = HeaderMap::new();
            head.insert(name, HeaderValue::from_static(value));
            rewrite(&rule, &mut head);
            assert_eq!(head[name], expected);
        }
    }
}
