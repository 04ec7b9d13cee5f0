//! Which header fields belong to one hop and must not cross it (RFC 9110 §7.6.1).

pub(crate) mod trailers;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{StatusCode, Version};
use model::{FieldNames, Protocol, is_forwarding_field};

use crate::field;

/// Fields that concern one connection, whether or not `Connection` names them.
const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    // Expectations are met by us, before the upstream sees the request.
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Fields that stay even if `Connection` names them: without them the message would mean something else.
///
/// `close` is an option in any case of letters, and never the name of a field (RFC 9110 §16.3.1).
const NEVER_NOMINATED: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("close"),
];

/// Fields that we check, beside those that [we set](is_forwarding_field).
const CHECKED: [&str; 3] = ["content-length", "host", "transfer-encoding"];

/// Whether a field of this name, in lower case, is ours to write or to check.
fn is_owned(name: &str) -> bool {
    is_forwarding_field(name) || CHECKED.contains(&name)
}

/// Removes fields that would speak in our name, and, from a peer that is not trusted, all that is said to be forwarded.
pub(crate) fn strip_aliases(headers: &mut HeaderMap, trusted: bool, underscores: bool) {
    let is_one = |name: &&HeaderName| is_alias(name.as_str(), trusted, underscores);
    let aliases: Vec<_> = headers.keys().filter(is_one).cloned().collect();
    for name in aliases {
        headers.remove(name);
    }
}

/// Removes fields of other names than may reach an endpoint. Other spellings of those that it believes us never do.
pub(crate) fn keep_names(headers: &mut HeaderMap, names: FieldNames) {
    let is_dropped = |name: &&HeaderName| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || (names.underscores && b == b'_');
        let name = name.as_str();
        let is_allowed = |b: u8| plain(b) || (names.others && b != b'_');
        !name.bytes().all(is_allowed) || is_alias(name, true, names.underscores)
    };
    if headers.keys().any(|name| is_dropped(&name)) {
        let dropped: Vec<_> = headers.keys().filter(is_dropped).cloned().collect();
        for name in dropped {
            headers.remove(name);
        }
    }
}

/// An upstream that hands fields on as variables writes every character but letters and digits as `_`, and then cannot
/// tell `X-Real-IP` from `X.Real.IP`. Names with `_` are dropped as nginx does, unless they are
/// wanted; other spellings if we own the name.
fn is_alias(name: &str, trusted: bool, underscores: bool) -> bool {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return !trusted && is_forwarding_field(name);
    }
    let plain = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    (name.contains('_') && !underscores) || is_owned(&plain)
}

/// Whether the client takes trailers (RFC 9110 §10.1.4); the one part of `TE` that is worth passing on.
pub(crate) fn wants_trailers(headers: &HeaderMap) -> bool {
    let names_them =
        |te: &HeaderValue| field::list(te.as_bytes()).any(|one| one.eq_ignore_ascii_case(b"trailers"));
    headers.contains_key(header::TE) && headers.get_all(header::TE).iter().any(names_them)
}

/// The protocol that a request without a body wants to switch to (RFC 9110 §7.8). HTTP/2 is none: an upstream that spoke it
/// would take requests that we never see.
pub(crate) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut upgrades = headers.get_all(header::UPGRADE).iter();
    let (Some(protocol), None) = (upgrades.next(), upgrades.next()) else { return None };
    let name = protocol.as_bytes();
    let is_one = !name.is_empty() && !name.contains(&b',') && !name.to_ascii_lowercase().starts_with(b"h2");
    (is_one && names_upgrade(headers)).then(|| protocol.clone())
}

/// Whether `Connection` says that a protocol is to be switched, or was.
pub(crate) fn names_upgrade(headers: &HeaderMap) -> bool {
    let mut options =
        headers.get_all(header::CONNECTION).iter().flat_map(|value| field::list(value.as_bytes()));
    options.any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}

/// Asks for, or agrees to, a switch of protocols.
pub(crate) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Removes what belongs to the hop that a message came over.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let mut present = 0_u16;
    for name in headers.keys() {
        if let Some(place) = HOP_BY_HOP.iter().position(|hop| hop == name) {
            present |= 1 << place;
        }
    }
    if present & 1 != 0 {
        strip_nominated(headers);
    }
    for (place, name) in HOP_BY_HOP.iter().enumerate() {
        if present & (1 << place) != 0 {
            headers.remove(name);
        }
    }
}

/// What a request of HTTP/2 says in another way than one of HTTP/1: its authority becomes the host, and the crumbs of its
/// cookie one field (RFC 9113 §8.2.3, §8.3.1).
pub(crate) fn as_http1(uri: &Uri, headers: &mut HeaderMap) {
    if !headers.contains_key(header::HOST)
        && let Some(Ok(host)) = uri.authority().map(|it| HeaderValue::from_str(it.as_str()))
    {
        headers.insert(header::HOST, host);
    }
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if let (Some(_), Some(_)) = (crumbs.next(), crumbs.next()) {
        let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
            headers.insert(header::COOKIE, cookie);
        }
    }
}

/// What a request of HTTP/1 says in another way than one of HTTP/2: its host becomes the authority. None without a host,
/// which HTTP/2 cannot do without.
pub(crate) fn as_http2(head: &mut Parts, protocol: Protocol) -> Option<()> {
    let host = head.headers.remove(header::HOST)?;
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let scheme = if protocol.is_tls() { Scheme::HTTPS } else { Scheme::HTTP };
    let uri = Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(path);
    head.uri = uri.build().ok()?;
    head.version = Version::HTTP_2;
    Some(())
}

/// Whether a response's body ends where every reader would say it does (RFC 9112 §6.3): one plain length, or one coding that
/// we know and no length beside it. hyper reads more than that, and what it undoes we would pass on as if it had never
/// been there.
pub(crate) fn is_framed_well(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let (length, more) = (lengths.next(), lengths.next());
    if more.is_some() || !length.is_none_or(|length| length.as_bytes().iter().all(u8::is_ascii_digit)) {
        return false;
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked") && length.is_none(),
        _ => false,
    }
}

/// How long an answer that has no body says that it would be with one. A 204 must not (RFC 9110 §8.6).
pub(crate) fn length_of_no_body(status: StatusCode, headers: &mut HeaderMap) -> Option<u64> {
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn strip_nominated(headers: &mut HeaderMap) {
    let mut nominated = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        for token in field::list(value.as_bytes()) {
            match token {
                b"close" | b"keep-alive" | b"Keep-Alive" | b"upgrade" | b"Upgrade" | b"" => {}
                token => nominated.extend(HeaderName::from_bytes(token)),
            }
        }
    }
    for name in nominated {
        // What a trusted proxy says about the client is not the client's to take away.
        if !is_owned(name.as_str()) && !NEVER_NOMINATED.contains(&name) {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_belongs_to_the_hop_is_removed_and_all_else_stays() {
        let mut headers = map(&[
            ("host", "a"),
            ("connection", "Close, X-Secret, Host, Content-Length"),
            ("connection", "x-other"),
            ("close", "kept"),
            ("x-secret", "1"),
            ("x-other", "2"),
            ("content-length", "3"),
            ("te", "gzip"),
            ("upgrade", "h2c"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("x_forwarded_for", "6.6.6.6"),
            ("x.real.ip", "6.6.6.6"),
            ("com.example", "kept"),
            ("x-forwarded-prefix", "/admin"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut headers);
        strip_aliases(&mut headers, false, false);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "close", "com.example", "content-length", "host"]);
    }
}
