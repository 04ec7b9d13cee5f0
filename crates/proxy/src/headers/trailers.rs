//! Which fields may come behind a body (RFC 9110 §6.5.1).

use bytes::Bytes;
use http::header::{self, HeaderName};
use http_body::Frame;

use super::{CHECKED, HOP_BY_HOP, is_alias};

/// Fields that have no place in a trailer (RFC 9110 §6.5.1): what frames, routes, authenticates, asks for something else
/// or says what an answer means.
const NOT_IN_TRAILERS: [HeaderName; 28] = [
    header::AGE,
    header::DATE,
    header::EXPIRES,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::LOCATION,
    header::ORIGIN,
    header::PRAGMA,
    header::RANGE,
    header::RETRY_AFTER,
    header::STRICT_TRANSPORT_SECURITY,
    header::VARY,
    header::WWW_AUTHENTICATE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    header::CACHE_CONTROL,
    header::TRAILER,
    header::MAX_FORWARDS,
    header::FORWARDED,
];

/// Whether a trailer of this name is dropped.
pub(crate) fn is_refused_in_trailers(name: &HeaderName) -> bool {
    let ours = is_alias(name.as_str(), false, false) || CHECKED.contains(&name.as_str());
    ours || HOP_BY_HOP.contains(name) || NOT_IN_TRAILERS.contains(name)
}

/// RFC 9110 §6.5.1: a field that frames, routes or authenticates a message has no meaning in a trailer, and a recipient
/// that merges trailers into the head must not be fooled by one.
pub(crate) fn keep_allowed_trailers(frame: &mut Frame<Bytes>) {
    remove_trailers(frame, is_refused_in_trailers);
}

/// Removes the trailers of these names.
pub(crate) fn remove_trailers(frame: &mut Frame<Bytes>, is_removed: impl Fn(&HeaderName) -> bool) {
    if let Some(trailers) = frame.trailers_mut() {
        let removed: Vec<_> = trailers.keys().filter(|name| is_removed(name)).cloned().collect();
        removed.into_iter().for_each(|name| {
            trailers.remove(name);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_cannot_frame_route_or_authenticate() {
        for name in
            ["content-length", "transfer-encoding", "host", "authorization", "x-forwarded-for", "x.real.ip"]
        {
            assert!(is_refused_in_trailers(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!is_refused_in_trailers(&HeaderName::from_static("grpc-status")));
    }
}
