//! A request as routes see it: what a condition asks for is looked up when it asks.

use std::borrow::Cow;

use http::{HeaderValue, Request, header};
use model::{Facts, RequestHost, RequestPath, cookie_in, query_parameter};

use super::Admitted;

/// An admitted request with its head, before anything of that is changed.
pub(super) struct RequestFacts<'r, B> {
    pub(super) admitted: &'r Admitted<'r>,
    pub(super) request: &'r Request<B>,
    /// Whether TLS is spoken with the client.
    pub(super) is_secure: bool,
}

impl<B> Facts for RequestFacts<'_, B> {
    fn host(&self) -> Option<&RequestHost<'_>> {
        self.admitted.host.as_ref()
    }

    fn path(&self) -> &RequestPath<'_> {
        &self.admitted.path
    }

    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn is_secure(&self) -> bool {
        self.is_secure
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.request.headers().get_all(name).iter().map(text);
        let first = values.next()??;
        let Some(second) = values.next() else { return Some(Cow::Borrowed(first)) };
        let mut all = format!("{first}, {}", second?);
        for value in values {
            all.extend([", ", value?]);
        }
        Some(Cow::Owned(all))
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query_parameter(self.request.uri().query()?, name)
    }

    /// HTTP/2 may send one field for each cookie (RFC 9113 §8.2.3).
    fn cookie(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut fields = self.request.headers().get_all(header::COOKIE).iter();
        fields.find_map(|field| cookie_in(field.as_bytes(), name)).map(Cow::Borrowed)
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    str::from_utf8(value.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of<T>(request: &Request<()>, ask: impl FnOnce(&RequestFacts<'_, ()>) -> T) -> T {
        let path = RequestPath::parse(request.uri().path()).expect("a path");
        ask(&RequestFacts { admitted: &Admitted { host: None, path }, request, is_secure: false })
    }

    #[test]
    fn fields_of_one_name_are_one_list() {
        let request =
            Request::get("/").header("x-a", "1").header("X-A", "2").header("x-a", "").header("x-b", "");
        facts_of(&request.body(()).expect("a request"), |facts| {
            assert_eq!(facts.header("x-a").as_deref(), Some("1, 2, "));
            assert!(matches!(facts.header("x-b"), Some(Cow::Borrowed(""))));
            assert_eq!(facts.header("x-c"), None);
        });
    }

    #[test]
    fn a_field_that_is_no_text_has_no_value() {
        let odd = HeaderValue::from_bytes(b"\xff").expect("a value");
        let request = Request::get("/").header("x-a", &odd).header("x-b", "1").header("x-b", &odd);
        facts_of(&request.body(()).expect("a request"), |facts| {
            assert_eq!((facts.header("x-a"), facts.header("x-b")), (None, None));
        });
    }

    #[test]
    fn a_cookie_is_found_in_any_field_and_a_parameter_in_the_query() {
        let request = Request::get("/p?a=%31").header("cookie", "x=1").header("cookie", "y=2; z=3");
        facts_of(&request.body(()).expect("a request"), |facts| {
            let cookies = ["x", "z", "a"].map(|name| facts.cookie(name).map(Cow::into_owned));
            assert_eq!(cookies, [Some("1".to_owned()), Some("3".to_owned()), None]);
            assert_eq!(facts.query("a").as_deref(), Some("1"));
        });
    }
}
