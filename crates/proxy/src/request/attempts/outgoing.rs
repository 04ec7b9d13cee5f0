//! What one attempt sends: with HTTP/1 bytes that are the same for each, with HTTP/2 a head that hyper's client takes for good.

use http::Request;
use http::request::Parts;

use super::Attempts;
use crate::upstream::{RequestBody, RequestHead};

impl Attempts {
    /// What is sent to an endpoint of HTTP/1: the head is made bytes once.
    pub(in crate::request) fn for_http1(&mut self) -> (&mut RequestHead, RequestBody) {
        let body = self.body.take().expect("`again` puts a body back for each further attempt");
        let head = self.written.get_or_insert_with(|| RequestHead::new(&mut self.head, &body, None));
        (head, body)
    }

    /// What is sent to one of HTTP/2. None if the head was made for HTTP/1: the endpoints have begun to speak this since.
    pub(in crate::request) fn for_http2(&mut self) -> Option<Request<RequestBody>> {
        if self.written.is_some() {
            return None;
        }
        let body = self.body.take().expect("`again` puts a body back for each further attempt");
        let kept = if self.spare.is_some() { copy(&self.head) } else { empty() };
        Some(Request::from_parts(std::mem::replace(&mut self.head, kept), body))
    }

    /// Takes back a request of which nothing was sent.
    pub(in crate::request) fn keep(&mut self, unsent: Request<RequestBody>) {
        let (head, body) = unsent.into_parts();
        (self.head, self.body) = (head, Some(body));
    }

    /// The same, if its head is bytes.
    pub(in crate::request) fn keep_body(&mut self, unsent: RequestBody) {
        self.body = Some(unsent);
    }
}

fn empty() -> Parts {
    Request::new(()).into_parts().0
}

fn copy(head: &Parts) -> Parts {
    let mut copy = empty();
    copy.method = head.method.clone();
    copy.uri = head.uri.clone();
    copy.version = head.version;
    copy.headers = head.headers.clone();
    // What CONNECT is for (RFC 8441 §4). Nothing else of what hyper keeps there is the endpoint's business.
    if let Some(wanted) = head.extensions.get::<hyper::ext::Protocol>() {
        copy.extensions.insert(wanted.clone());
    }
    copy
}
