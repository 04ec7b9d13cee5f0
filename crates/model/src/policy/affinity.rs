//! Clients that stay with an endpoint, by a cookie.
//!
//! Nothing is remembered of them: the cookie's value leads every process to the same endpoint, which is why it survives
//! publications, handovers and upgrades, and why several replicas agree.

use std::fmt;
use std::sync::Arc;

use crate::Digest;

/// How clients stay with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// The cookie's name.
    pub cookie: Arc<str>,
    /// What its value stands for.
    pub stickiness: Stickiness,
    /// Whether a client whose endpoint fails stays with the one that serves in its place. Else it comes back.
    pub change_on_failure: bool,
    /// What clients are told of the cookie.
    pub attributes: CookieAttributes,
}

/// What the value of a cookie stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stickiness {
    /// A key that is hashed to an endpoint: when there are more endpoints some clients move, so that all have their share.
    #[default]
    Balanced,
    /// An endpoint: its clients stay as long as it takes requests.
    Persistent,
}

impl Stickiness {
    /// The word used in annotations, JSON and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Stickiness::Balanced => "balanced",
            Stickiness::Persistent => "persistent",
        }
    }
}

/// The attributes of a cookie (RFC 6265 §4.1.2). It is always `HttpOnly`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieAttributes {
    /// For which paths; if nothing is said, those of the route.
    pub path: Option<Arc<str>>,
    /// For which hosts; if nothing is said, the request's alone.
    pub domain: Option<Arc<str>>,
    /// For how many seconds.
    pub max_age: Option<i64>,
    /// The same, as a point in time for old clients.
    pub expires: Option<i64>,
    /// Whether it is `Secure` over plain HTTP too.
    pub secure: bool,
    /// Whether it goes with requests that other sites make.
    pub same_site: Option<SameSite>,
    /// Whether `SameSite=None` is left out for browsers that take it for something else.
    pub same_site_none_if_known: bool,
}

/// The values of `SameSite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With all requests.
    None,
    /// With links that lead here.
    Lax,
    /// With none.
    Strict,
}

impl SameSite {
    /// All of them.
    pub const ALL: [SameSite; 3] = [SameSite::None, SameSite::Lax, SameSite::Strict];

    /// The word used in cookies.
    pub fn as_str(self) -> &'static str {
        match self {
            SameSite::None => "None",
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
        }
    }
}

/// What a client's cookie says. Any text can be one: what we did not write is a key as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StickyValue<'c> {
    /// What leads to the endpoint, if it is not empty.
    pub key: Option<&'c str>,
    /// The [digest](crate::BackendKey::digest) of the backend that it was given by.
    pub backend: Option<u64>,
}

impl<'c> StickyValue<'c> {
    /// Reads it: two parts with a `|` between.
    pub fn read(value: &'c str) -> StickyValue<'c> {
        let (key, backend) = value.split_once('|').unwrap_or((value, ""));
        StickyValue { key: Some(key).filter(|key| !key.is_empty()), backend: number(backend) }
    }

    /// The endpoint's [digest](crate::EndpointKey::digest), where the key is one.
    pub fn endpoint(&self) -> Option<u64> {
        number(self.key?)
    }

    /// The digest of a key of ours, as a key of any other kind has it.
    pub fn digest_of(key: u64) -> u64 {
        Digest::of(&format!("{key:016x}"))
    }

    /// Writes it.
    pub fn write(key: u64, backend: u64) -> String {
        format!("{key:016x}|{backend:016x}")
    }
}

/// A digest as it is written, and in no other way.
fn number(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 16 && text.bytes().all(is_digit) { u64::from_str_radix(text, 16).ok() } else { None }
}

/// As `explain` and golden files show it.
impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CookieAttributes { path, domain, max_age, expires, secure, same_site, same_site_none_if_known } =
            &self.attributes;
        write!(f, "cookie {}, {}", self.cookie, self.stickiness.as_str())?;
        if self.change_on_failure {
            f.write_str(", changes on failure")?;
        }
        for (word, value) in [("path", path), ("domain", domain)] {
            if let Some(value) = value {
                write!(f, ", {word} {value}")?;
            }
        }
        for (word, seconds) in [("max-age", max_age), ("expires", expires)] {
            if let Some(seconds) = seconds {
                write!(f, ", {word} {seconds}")?;
            }
        }
        if *secure {
            f.write_str(", secure")?;
        }
        if let Some(same_site) = same_site {
            let only = if *same_site_none_if_known { " if it is known" } else { "" };
            write!(f, ", same site {}{only}", same_site.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_a_key() {
        let written = StickyValue::write(0x00ab, 7);
        let read = StickyValue::read(&written);
        assert_eq!((read.endpoint(), read.backend), (Some(0x00ab), Some(7)));
        for (value, key) in [
            ("1611.1.2|1bc29b36f623ba82aaf6724fd3b16718", Some("1611.1.2")),
            ("x", Some("x")),
            ("", None),
            ("|0000000000000007", None),
            ("+0000000000000ab|+000000000000007", Some("+0000000000000ab")),
            ("00000000000000AB||", Some("00000000000000AB")),
        ] {
            let read = StickyValue::read(value);
            assert_eq!((read.key, read.endpoint()), (key, None), "{value}");
        }
    }
}
