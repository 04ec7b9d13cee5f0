//! The request that is asked about, as routes see it.

use std::borrow::Cow;

use model::{Facts, RequestHost, RequestPath, cookie_in, query_parameter};

use super::Asked;

/// Host and path could be read.
pub(super) struct AskedFacts<'a> {
    pub(super) asked: &'a Asked,
    pub(super) host: Option<RequestHost<'a>>,
    pub(super) path: RequestPath<'a>,
}

impl Facts for AskedFacts<'_> {
    fn host(&self) -> Option<&RequestHost<'_>> {
        self.host.as_ref()
    }

    fn path(&self) -> &RequestPath<'_> {
        &self.path
    }

    fn method(&self) -> &str {
        &self.asked.method
    }

    fn is_secure(&self) -> bool {
        self.asked.is_secure
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let values: Vec<&str> = self.asked.fields(name).collect();
        (!values.is_empty()).then(|| values.join(", ").into())
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query_parameter(self.asked.query.as_deref()?, name)
    }

    fn cookie(&self, name: &str) -> Option<Cow<'_, str>> {
        self.asked.fields("cookie").find_map(|field| cookie_in(field.as_bytes(), name)).map(Cow::Borrowed)
    }
}
