//! Which pages of other origins may read answers (the CORS protocol of the Fetch standard).

use std::fmt;
use std::sync::Arc;

/// Browsers are told which origins may read answers, and what such pages may send; their preflights (OPTIONS) are answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cors {
    /// From where.
    pub origins: Origins,
    /// `Access-Control-Allow-Methods`.
    pub methods: Arc<str>,
    /// `Access-Control-Allow-Headers`.
    pub headers: Arc<str>,
    /// `Access-Control-Expose-Headers`.
    pub expose: Option<Arc<str>>,
    /// Whether pages may send cookies and the like along.
    pub credentials: bool,
    /// How many seconds a browser may remember the answer to a preflight.
    pub max_age: i64,
}

/// Which origins. As with ingress-nginx the end of an origin decides, in any case of letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origins {
    /// All, and a request that names none.
    Any,
    /// Those that one of these is for.
    Some(Box<[OriginMatch]>),
}

/// An origin, or all whose host has one more label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginMatch {
    /// What stands before the label, if there is to be one.
    before: Option<Arc<str>>,
    /// What the origin ends with.
    end: Arc<str>,
}

impl OriginMatch {
    /// Reads `https://example.com:8443`, `https://*.example.com` or `null`.
    pub fn parse(written: &str) -> OriginMatch {
        match written.split_once('*') {
            Some((before, end)) => OriginMatch { before: Some(before.into()), end: end.into() },
            None => OriginMatch { before: None, end: written.into() },
        }
    }

    /// Whether it is for this origin.
    fn matches(&self, origin: &[u8]) -> bool {
        let Some(rest) = strip_end(origin, &self.end) else { return false };
        let Some(before) = &self.before else { return true };
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let label = rest.iter().rev().take_while(|byte| is_label(byte)).count();
        label > 0 && strip_end(&rest[..rest.len() - label], before).is_some()
    }
}

/// What stands before this end, which may be written in any case of letters.
fn strip_end<'a>(text: &'a [u8], end: &str) -> Option<&'a [u8]> {
    let (rest, found) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end.as_bytes()).then_some(rest)
}

impl Origins {
    /// Whether pages of this origin may read answers.
    pub fn allow(&self, origin: &[u8]) -> bool {
        match self {
            Origins::Any => true,
            Origins::Some(origins) => origins.iter().any(|one| one.matches(origin)),
        }
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origins::Some(origins) = self else { return f.write_str("any origin") };
        for (at, OriginMatch { before, end }) in origins.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            match before {
                Some(before) => write!(f, "{comma}{before}*{end}")?,
                None => write!(f, "{comma}{end}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Cors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cors { origins, methods, headers, expose, credentials, max_age } = self;
        write!(f, "{origins}; methods {methods}; headers {headers}")?;
        if let Some(expose) = expose {
            write!(f, "; exposed {expose}")?;
        }
        let credentials = if *credentials { "" } else { "; no credentials" };
        write!(f, "{credentials}; for {max_age} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_matched_by_its_end_and_a_wildcard_is_for_one_label() {
        for (written, origin, expected) in [
            ("https://a.com", "https://a.com", true),
            ("https://a.com", "HTTPS://A.com", true),
            // As the pattern of ingress-nginx, which is not anchored.
            ("https://a.com", "xhttps://a.com", true),
            ("https://a.com", "https://a.com:8443", false),
            ("https://a.com", "https://axcom", false),
            ("https://a.com", "", false),
            ("https://*.a.com", "https://x-1.a.com", true),
            ("https://*.a.com", "https://.a.com", false),
            ("https://*.a.com", "https://a.com", false),
            ("https://*.a.com", "https://x.y.a.com", false),
            ("https://*.a.com", "http://x.a.com", false),
            ("https://*.a.com:8443", "https://x.a.com:8443", true),
            ("null", "null", true),
        ] {
            let origins = Origins::Some([OriginMatch::parse(written)].into());
            assert_eq!(origins.allow(origin.as_bytes()), expected, "{written} {origin}");
        }
    }
}
