//! The head of a request as bytes, and how its body is framed (RFC 9112 §6). It is made once, for all attempts.

use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Uri;
use http_body::Body;

use crate::field;
use crate::forwarding::Lines;
use crate::upstream::RequestBody;

/// The head of a request, to be written as it is.
pub(crate) struct RequestHead {
    bytes: Vec<u8>,
    body: BodyFraming,
    /// The method is HEAD: whatever is answered has no body.
    asks_for_head: bool,
    /// Without fields, but with room for some: those of the answer.
    room: HeaderMap,
}

/// How the body of a request is framed.
#[derive(Clone)]
pub(super) enum BodyFraming {
    /// By its length.
    Length(u64),
    /// In chunks; behind them come trailers of these names.
    Chunked(Box<[HeaderName]>),
}

impl RequestHead {
    /// Takes the fields of a request with this body out of its head, and makes them bytes, with these lines behind them.
    pub(crate) fn new(head: &mut Parts, body: &RequestBody, lines: Option<&Lines>) -> RequestHead {
        let mut fields = std::mem::take(&mut head.headers);
        let mut bytes = Vec::with_capacity(length_of(head, &fields) + lines.map_or(0, Lines::len));
        bytes.extend_from_slice(head.method.as_str().as_bytes());
        bytes.push(b' ');
        put_target(&mut bytes, &head.uri);
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        // One that was made for HTTP/2, whose endpoint has begun to speak this.
        if let Some(host) = head.uri.authority().filter(|_| !fields.contains_key(header::HOST)) {
            put(&mut bytes, &header::HOST, host.as_str().as_bytes());
        }
        let body = frame(&fields, body, &mut bytes);
        if let Some(lines) = lines {
            lines.write(&mut bytes);
        }
        bytes.extend_from_slice(b"\r\n");
        fields.clear();
        RequestHead { bytes, body, asks_for_head: head.method == Method::HEAD, room: fields }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn body(&self) -> &BodyFraming {
        &self.body
    }

    pub(super) fn asks_for_head(&self) -> bool {
        self.asks_for_head
    }

    pub(super) fn room(&mut self) -> &mut HeaderMap {
        &mut self.room
    }
}

/// Bytes that the head will have, and some for how its body is framed.
fn length_of(head: &Parts, fields: &HeaderMap) -> usize {
    let of_fields: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let of_target = head.uri.path_and_query().map_or(1, |target| target.as_str().len());
    of_fields + of_target + head.method.as_str().len() + 64
}

fn put_target(bytes: &mut Vec<u8>, target: &Uri) {
    bytes.extend_from_slice(target.path().as_bytes());
    if let Some(query) = target.query() {
        bytes.push(b'?');
        bytes.extend_from_slice(query.as_bytes());
    }
}

fn put(bytes: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Writes the fields. A body whose length is not known comes in chunks, whatever the method: so that it
/// is never taken for the next request.
fn frame(fields: &HeaderMap, body: &RequestBody, bytes: &mut Vec<u8>) -> BodyFraming {
    if body.is_end_stream() {
        put_all(fields, bytes, true);
        return BodyFraming::Length(0);
    }
    let told = length(fields);
    let framing = match told.or_else(|| body.size_hint().exact()) {
        Some(length) => BodyFraming::Length(length),
        None => BodyFraming::Chunked(trailers(fields)),
    };
    put_all(fields, bytes, told.is_some());
    match &framing {
        BodyFraming::Length(length) if told.is_none() => {
            put(bytes, &header::CONTENT_LENGTH, itoa::Buffer::new().format(*length).as_bytes());
        }
        BodyFraming::Length(_) => {}
        BodyFraming::Chunked(_) => put(bytes, &header::TRANSFER_ENCODING, b"chunked"),
    }
    framing
}

fn put_all(fields: &HeaderMap, bytes: &mut Vec<u8>, with_length: bool) {
    for (name, value) in fields {
        let is_framing =
            name == header::TRANSFER_ENCODING || (!with_length && name == header::CONTENT_LENGTH);
        if !is_framing {
            put(bytes, name, value.as_bytes());
        }
    }
}

/// The length that a head tells, if it tells one.
fn length(fields: &HeaderMap) -> Option<u64> {
    let mut told =
        fields.get_all(header::CONTENT_LENGTH).iter().flat_map(|value| field::list(value.as_bytes()));
    let length = digits(told.next()?)?;
    told.all(|again| digits(again) == Some(length)).then_some(length)
}

/// A number without a sign.
pub(super) fn digits(value: &[u8]) -> Option<u64> {
    let is_one = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_one.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// The trailers that a head announces: others are not written (RFC 9110 §6.6.2).
fn trailers(fields: &HeaderMap) -> Box<[HeaderName]> {
    let named = fields.get_all(header::TRAILER).iter().map(HeaderValue::as_bytes).flat_map(field::list);
    named.filter_map(|name| HeaderName::from_bytes(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_one_number_however_often_it_is_told() {
        let of = |values: &[&'static str]| {
            let mut fields = HeaderMap::new();
            for value in values {
                fields.append(header::CONTENT_LENGTH, HeaderValue::from_static(value));
            }
            length(&fields)
        };
        assert_eq!((of(&["5"]), of(&["5, 5"]), of(&["005", "5"])), (Some(5), Some(5), Some(5)));
        for none in [&[][..], &[""], &["+5"], &["5", "6"], &["5,"], &["99999999999999999999"]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
