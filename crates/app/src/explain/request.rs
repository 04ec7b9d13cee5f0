//! The request to explain, parsed from the command line but not yet checked.

/// A request as the words of the command line put it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    /// What stands before the path, or all `Host` fields where there are any.
    hosts: Vec<String>,
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// Whether it is said to come by plain HTTP.
    pub(super) is_plain: bool,
    /// Whether a `#` follows.
    pub(super) fragment: bool,
    /// All fields, as they were given.
    headers: Vec<(String, String)>,
}

impl Asked {
    /// Reads `[METHOD] URL` and the fields beside it.
    ///
    /// # Errors
    /// If the words are no method and URL.
    pub(super) fn new(words: &[String], headers: &[(String, String)]) -> Result<Asked, String> {
        let (method, url) = match words {
            [url] => ("GET", url),
            [method, url] => (&**method, url),
            _ => return Err("write [METHOD] URL, as GET http://shop.example.com/cart".into()),
        };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
            return Err(format!("{method:?} is not a method; write [METHOD] URL"));
        }
        let rest = match url.split_once("://") {
            Some(("http" | "https", rest)) => rest,
            Some((scheme, _)) if !scheme.contains(['/', '?']) => {
                return Err(format!("{scheme:?} is not a scheme that is served; write http:// or https://"));
            }
            _ => url,
        };
        let (rest, fragment) = rest.split_once('#').map_or((rest, false), |(rest, _)| (rest, true));
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let target = model::escape_target(target);
        let (path, query) =
            target.split_once('?').map_or((&*target, None), |(path, query)| (path, Some(query.to_owned())));
        let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut hosts: Vec<String> = fields.map(|(_, value)| value.clone()).collect();
        if hosts.is_empty() && !host.is_empty() {
            hosts.push(host.into());
        }
        Ok(Asked {
            method: method.into(),
            hosts,
            path: if path.is_empty() { "/".into() } else { path.into() },
            query,
            is_plain: url.starts_with("http://"),
            fragment,
            headers: headers.to_vec(),
        })
    }

    /// The values of the fields of this name.
    pub(super) fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(written, _)| written.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The one host; none for a request of HTTP/1.0 without one.
    ///
    /// # Errors
    /// If there are several: servers would disagree on which counts (RFC 9112 §3.2).
    pub(super) fn host(&self) -> Result<Option<&str>, &'static str> {
        match &*self.hosts {
            [] => Ok(None),
            [host] => Ok(Some(host)),
            _ => Err("there is more than one Host field"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str], hosts: &[&str]) -> Result<Asked, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).into()).collect();
        let headers: Vec<_> = hosts.iter().map(|host| ("hOsT".into(), (*host).into())).collect();
        Asked::new(&words, &headers)
    }

    #[test]
    fn a_url_is_taken_apart_however_it_is_written() {
        for (url, host, path, query) in [
            ("http://a.com/b?c=d", Some("a.com"), "/b", Some("c=d")),
            ("https://a.com", Some("a.com"), "/", None),
            ("a.com:80/b/../c", Some("a.com:80"), "/b/../c", None),
            ("a.com?q", Some("a.com"), "/", Some("q")),
            ("/b?u=http://x", None, "/b", Some("u=http://x")),
            ("a.com/b?u=http://x", Some("a.com"), "/b", Some("u=http://x")),
            ("a.com/{caf\u{e9}}?q=\"{x}\"", Some("a.com"), "/%7Bcaf%C3%A9%7D", Some("q=%22{x}%22")),
        ] {
            let asked = asked(&[url], &[]).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!(
                (asked.host(), &*asked.path, asked.query.as_deref()),
                (Ok(host), path, query),
                "{url}"
            );
        }
    }

    #[test]
    fn a_host_field_goes_before_the_url_and_two_are_refused() {
        assert_eq!(asked(&["a.com/"], &["b.com"]).expect("a request").host(), Ok(Some("b.com")));
        assert!(asked(&["a.com/"], &["b.com", "b.com"]).expect("a request").host().is_err());
    }

    #[test]
    fn words_that_are_no_request_are_refused() {
        assert!(asked(&["GE T", "a.com/"], &[]).is_err());
        assert!(asked(&["ftp://a.com/"], &[]).is_err());
    }
}
