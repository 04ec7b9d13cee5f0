//! Of a request's fields, those that belong to the hop and those that would speak in our name are gone, all others are as
//! they were, and doing it again changes nothing.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use proxy::fuzzing::{is_refused_in_trailers, sanitise};

/// RFC 9110 §7.6.1 and what was sent before it to the same end.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "expect",
];
/// What a client must not be able to take away by naming it in `Connection`.
const KEPT: [&str; 4] = ["host", "content-length", "authorization", "cookie"];
/// What we say ourselves.
const OURS: [&str; 6] =
    ["content-length", "forwarded", "host", "transfer-encoding", "x-real-ip", "x-request-id"];

/// Checks it. The first byte says whether the peer is trusted; the rest is lines of `name: value`.
pub fn check(data: &[u8]) {
    let Some((first, lines)) = data.split_first() else { return };
    let trusted = first % 2 == 1;
    let before = fields(lines);
    let mut after = before.clone();
    sanitise(&mut after, trusted);
    let named = named(&before);
    for name in before.keys() {
        let kept: Vec<_> = after.get_all(name).iter().collect();
        let were: Vec<_> = before.get_all(name).iter().collect();
        let gone = is_gone(name.as_str(), trusted, &named);
        let expected = if gone { Vec::new() } else { were };
        assert_eq!(kept, expected, "{name}, trusted: {trusted}");
        if HOP_BY_HOP.contains(&name.as_str()) || is_taken_for_ours(name.as_str()) {
            assert!(is_refused_in_trailers(name), "{name} in a trailer");
        }
    }
    assert!(after.keys().all(|name| before.contains_key(name)), "fields from nowhere");
    let mut again = after.clone();
    sanitise(&mut again, trusted);
    assert_eq!(again, after);
}

fn fields(lines: &[u8]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(value)) {
            fields.append(name, value);
        }
    }
    fields
}

/// What `Connection` names, in lower case.
fn named(fields: &HeaderMap) -> Vec<String> {
    let values = fields.get_all("connection").iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let joined = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    // White space is spaces and tabs (RFC 9110 §5.6.3). `close` is an option of the connection, and never the name of a field.
    joined
        .split(',')
        .map(|token| token.trim_matches([' ', '\t']).to_owned())
        .filter(|token| token != "close")
        .collect()
}

fn is_gone(name: &str, trusted: bool, named: &[String]) -> bool {
    let hop = HOP_BY_HOP.contains(&name) || name == "http2-settings";
    let told = ["forwarded", "x-real-ip", "x-request-id"].contains(&name);
    let forwarding = told || name.starts_with("x-forwarded-") || name.starts_with("x-original-");
    let kept = KEPT.contains(&name) || OURS.contains(&name) || forwarding;
    let nominated = !kept && named.iter().any(|token| token == name);
    hop || nominated || is_taken_for_ours(name) || (forwarding && !trusted)
}

/// As an upstream sees it that hands fields on as variables: with `_` for all but letters and digits.
fn is_taken_for_ours(name: &str) -> bool {
    let variable = |name: &str| name.replace(|it: char| !it.is_ascii_alphanumeric(), "_");
    let seen = variable(name);
    let ours = OURS.iter().any(|ours| *ours != name && variable(ours) == seen);
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let forwarding = seen.starts_with("x_forwarded_") || seen.starts_with("x_original_");
    name.contains('_') || ours || (forwarding && !plain)
}
