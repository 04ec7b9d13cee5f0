//! What another attempt is made of: a request cannot be sent and kept.

use std::rc::Rc;

use http::{HeaderMap, Request, request};

use crate::client::Carrier;
use crate::upstream::{Replay, RequestBody};

/// A copy of a request that may be sent twice.
pub(super) struct Spare {
    head: request::Parts,
    /// Its body, if it has one.
    body: Option<Rc<Replay>>,
    /// Whether it may be sent again although it may have been seen.
    repeatable: bool,
}

impl Spare {
    pub(super) fn of(request: &Request<RequestBody>, body: Option<Rc<Replay>>, repeatable: bool) -> Spare {
        Spare { head: copy(request), body, repeatable }
    }

    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.head.headers
    }

    /// Whether it may be sent again although it may have been seen.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable && self.body.as_ref().is_none_or(|body| body.is_whole())
    }

    /// The request once more, unless it may have been seen and must not be sent again, or its body was not kept.
    pub(super) fn request(&self, carrier: &Carrier, unseen: bool) -> Option<Request<RequestBody>> {
        if !self.repeatable && !unseen {
            return None;
        }
        let body = match &self.body {
            Some(replay) if replay.is_whole() => RequestBody::replayed(replay, carrier.clone()),
            Some(_) => return None,
            None => RequestBody::empty(carrier.clone()),
        };
        let head = &self.head;
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers.clone();
        *request.extensions_mut() = head.extensions.clone();
        Some(request)
    }
}

fn copy(request: &Request<RequestBody>) -> request::Parts {
    let mut head = Request::new(()).into_parts().0;
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.version = request.version();
    head.headers = request.headers().clone();
    // What CONNECT is for (RFC 8441 §4). Nothing else of what hyper keeps there is the endpoint's business.
    if let Some(wanted) = request.extensions().get::<hyper::ext::Protocol>() {
        head.extensions.insert(wanted.clone());
    }
    head
}
