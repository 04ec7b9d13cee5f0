//! Host names: as an Ingress writes them and as a request carries them.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

/// Longest host accepted, in bytes (RFC 1035 §2.3.4 allows 253 visible characters).
const HOST_BYTES_MAX: usize = 253;
/// Longest label of a host name, in bytes (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Why a host was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There is nothing before the port.
    Empty,
    /// More than 253 bytes, or a label of more than 63.
    TooLong,
    /// A byte that no host name has, or one in the wrong place.
    Malformed,
    /// What follows the colon is not a port.
    Port,
    /// A lone `*`, or a `*` that is not the whole first label.
    Wildcard,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostError::Empty => "the host is empty",
            HostError::TooLong => "the host is longer than 253 bytes or has a label longer than 63",
            HostError::Malformed => "the host has a character that is not allowed where it stands",
            HostError::Port => "the port is not a number from 0 to 65535",
            HostError::Wildcard => "a wildcard must be the whole first label, as in *.example.com",
        })
    }
}

impl std::error::Error for HostError {}

/// A DNS name in its normal form: lower case, no port, no final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Arc<str>);

impl HostName {
    /// Reads a name as an Ingress writes it.
    ///
    /// # Errors
    /// Says what is wrong with a name that no DNS record could have (RFC 1123 §2.1).
    pub fn parse(raw: &str) -> Result<HostName, HostError> {
        if raw.is_empty() {
            return Err(HostError::Empty);
        }
        if raw.len() > HOST_BYTES_MAX {
            return Err(HostError::TooLong);
        }
        raw.split('.').try_for_each(check_label)?;
        Ok(HostName(raw.to_ascii_lowercase().into()))
    }

    /// The name without its first label, of which a wildcard may be.
    pub fn parent(&self) -> Option<HostName> {
        self.0.split_once('.').map(|(_, parent)| HostName(parent.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A map of names is looked into with the name of a request.
impl Borrow<str> for HostName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_label(label: &str) -> Result<(), HostError> {
    if label.len() > LABEL_BYTES_MAX {
        return Err(HostError::TooLong);
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if label.is_empty() || label.starts_with('-') || label.ends_with('-') || !label.bytes().all(allowed) {
        return Err(HostError::Malformed);
    }
    Ok(())
}

/// Which hosts a route matches. Ordered by precedence: the exact host before the wildcard before any host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostMatch {
    /// This host.
    Exact(HostName),
    /// Any host with exactly one label before this name.
    Wildcard(HostName),
    /// Every host, and a request without one.
    Any,
}

impl HostMatch {
    /// Reads `spec.rules[].host`: a name, `*.` and a name, or nothing for any host.
    ///
    /// # Errors
    /// Says what is wrong with the name, or that a wildcard stands where none may (Ingress v1: one whole label).
    pub fn parse(raw: &str) -> Result<HostMatch, HostError> {
        if raw.is_empty() {
            return Ok(HostMatch::Any);
        }
        if let Some(parent) = raw.strip_prefix("*.") {
            return HostName::parse(parent).map(HostMatch::Wildcard);
        }
        if raw.contains('*') {
            return Err(HostError::Wildcard);
        }
        HostName::parse(raw).map(HostMatch::Exact)
    }

    /// Whether a request for `host` is for this rule.
    pub fn matches(&self, host: Option<&RequestHost<'_>>) -> bool {
        match (self, host) {
            (HostMatch::Any, _) => true,
            (_, None) => false,
            (HostMatch::Exact(name), Some(host)) => name.as_str() == host.name(),
            (HostMatch::Wildcard(parent), Some(host)) => host.parent() == Some(parent.as_str()),
        }
    }
}

impl fmt::Display for HostMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostMatch::Exact(name) => write!(f, "{name}"),
            HostMatch::Wildcard(parent) => write!(f, "*.{parent}"),
            HostMatch::Any => f.write_str("*"),
        }
    }
}

/// The host of a request (its `Host` field or the authority of its target) in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHost<'a> {
    name: Cow<'a, str>,
    port: Option<u16>,
}

impl<'a> RequestHost<'a> {
    /// Reads `uri-host [ ":" port ]` (RFC 9110 §7.2), stricter than its grammar: letters, digits, `-`, `_` and `.`, or
    /// an IP literal. User information, a list or an escape has no place in a `Host` field.
    ///
    /// # Errors
    /// Says what is wrong; the request is answered 400.
    pub fn parse(raw: &'a str) -> Result<RequestHost<'a>, HostError> {
        let (name, port) = split_port(raw)?;
        let port = port.map(parse_port).transpose()?.flatten();
        if name.starts_with('[') {
            return Ok(RequestHost { name: Cow::Owned(check_ip_literal(name)?.to_ascii_lowercase()), port });
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        if name.len() > HOST_BYTES_MAX {
            return Err(HostError::TooLong);
        }
        let (mut upper, mut after_dot) = (false, true);
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => after_dot = false,
                b'A'..=b'Z' => (upper, after_dot) = (true, false),
                b'.' if !after_dot => after_dot = true,
                _ => return Err(HostError::Malformed),
            }
        }
        if after_dot {
            return Err(HostError::Malformed);
        }
        let name = if upper { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) };
        Ok(RequestHost { name, port })
    }

    /// The name, lower case, without port and final dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, where the request names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// What follows the first label: the name a wildcard would have to have.
    pub fn parent(&self) -> Option<&str> {
        self.name.split_once('.').map(|(_, parent)| parent)
    }
}

fn split_port(raw: &str) -> Result<(&str, Option<&str>), HostError> {
    let from = if raw.starts_with('[') { raw.find(']').ok_or(HostError::Malformed)? } else { 0 };
    match raw[from..].find(':') {
        Some(colon) => Ok((&raw[..from + colon], Some(&raw[from + colon + 1..]))),
        None => Ok((raw, None)),
    }
}

/// An empty port is allowed and means the default one (RFC 3986 §3.2.3).
fn parse_port(raw: &str) -> Result<Option<u16>, HostError> {
    if raw.is_empty() {
        return Ok(None);
    }
    if raw.len() > 5 || !raw.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    raw.parse().map(Some).map_err(|_| HostError::Port)
}

fn check_ip_literal(name: &str) -> Result<&str, HostError> {
    let inner = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).ok_or(HostError::Malformed)?;
    inner.parse::<std::net::Ipv6Addr>().map_err(|_| HostError::Malformed)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_host_is_lowered_and_loses_port_and_final_dot() {
        for (raw, name, port) in [
            ("example.com", "example.com", None),
            ("EX.com.:443", "ex.com", Some(443)),
            ("a_b.example:", "a_b.example", None),
            ("[::1]:8080", "[::1]", Some(8080)),
            ("[2001:DB8::B]:80", "[2001:db8::b]", Some(80)),
            ("10.0.0.1", "10.0.0.1", None),
        ] {
            let host = RequestHost::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
            assert_eq!((host.name(), host.port()), (name, port), "{raw}");
        }
    }

    #[test]
    fn a_malformed_request_host_is_refused() {
        for raw in [
            "", ":80", ".", "a..b", "a..", ".a", "a, b", "a b", "user@a", "a/b", "a:1:2", "a:123456",
            "a:65536", "a:x", "a%20b", "[::1", "[x]", "[::1]x", "a\u{e9}", "a\0",
        ] {
            assert!(RequestHost::parse(raw).is_err(), "{raw:?}");
        }
        assert!(RequestHost::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn a_rule_host_is_a_name_or_one_wildcard_label() {
        assert_eq!(HostMatch::parse(""), Ok(HostMatch::Any));
        assert_eq!(HostMatch::parse("*.Foo.com").map(|h| h.to_string()), Ok("*.foo.com".into()));
        for raw in ["*", "a.*.com", "**.com", "*foo.com"] {
            assert_eq!(HostMatch::parse(raw), Err(HostError::Wildcard), "{raw}");
        }
        for raw in ["foo..com", "-a.com", "a-.com", "foo.com.", "foo:80", "*.", "a b"] {
            assert!(HostMatch::parse(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_wildcard_matches_exactly_one_label() {
        let rule = HostMatch::parse("*.foo.com").expect("a wildcard");
        for (raw, expected) in [("bar.foo.com", true), ("baz.bar.foo.com", false), ("foo.com", false)] {
            let host = RequestHost::parse(raw).expect("a host");
            assert_eq!(rule.matches(Some(&host)), expected, "{raw}");
        }
    }
}
