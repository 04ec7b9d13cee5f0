//! Bodies on their way through: frame by frame, without a copy.

mod replay;
mod request;
mod response;

use bytes::Bytes;
use http_body::Frame;

pub(crate) use self::replay::Replay;
pub(crate) use self::request::RequestBody;
pub(crate) use self::response::{Relay, ResponseBody};
use crate::request::headers;

/// RFC 9110 §6.5.1: a field that frames, routes or authenticates a message has no meaning in a trailer, and a recipient
/// that merges trailers into the head must not be fooled by one.
fn keep_allowed_trailers(frame: &mut Frame<Bytes>) {
    if let Some(trailers) = frame.trailers_mut() {
        let refused: Vec<_> =
            trailers.keys().filter(|name| headers::is_refused_in_trailers(name)).cloned().collect();
        refused.into_iter().for_each(|name| {
            trailers.remove(name);
        });
    }
}
