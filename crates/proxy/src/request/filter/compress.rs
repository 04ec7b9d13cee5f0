//! Answers that are compressed, as nginx' `gzip` does it with `gzip_proxied any` and `gzip_vary on`.
//!
//! What a page has of a secret and of an attacker's words together can be guessed by the length of what it is
//! compressed to (BREACH): so nothing is compressed that was not asked for.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, StatusCode, Version, response};
use model::Compression;

use crate::body::Gzip;
use crate::exchange::Exchange;
use crate::field;
use crate::upstream::AnswerBody;

/// Whether the client takes gzip (RFC 9110 §12.5.3). One of HTTP/1.0 is not asked, as nginx does not.
pub(in crate::request) fn is_taken<B>(request: &Request<B>) -> bool {
    let fields = request.headers().get_all(header::ACCEPT_ENCODING);
    let mut codings = fields.iter().flat_map(|field| field::list(field.as_bytes()));
    request.version() != Version::HTTP_10 && codings.any(is_gzip)
}

/// Whether it names gzip, and not to refuse it.
fn is_gzip(coding: &[u8]) -> bool {
    let mut parts = coding.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let is_refused = parts.any(|part| {
        let weight = part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q="));
        weight.is_some_and(|weight| weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
    });
    name.eq_ignore_ascii_case(b"gzip") && !is_refused
}

/// Makes the head that of a compressed answer, and says what compresses its body; none if it is left alone, or has none because
/// it was not asked for.
pub(in crate::request) fn begin(
    compression: &Compression,
    exchange: &Exchange,
    head: &mut response::Parts,
    body: &AnswerBody,
) -> Option<Box<Gzip>> {
    let is_head = exchange.asks_for_head;
    if (body.is_end_stream() && !is_head) || !is_for(compression, head) {
        return None;
    }
    head.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !exchange.carrier.request().takes_gzip.get() {
        return None;
    }
    let gzip = if is_head { None } else { Some(Gzip::new(compression.level, exchange.carrier.worker())?) };
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.remove(header::ACCEPT_RANGES);
    weaken_etag(&mut head.headers);
    gzip
}

/// Whether it is an answer whose content may be compressed, whether or not its client takes that.
fn is_for(compression: &Compression, head: &response::Parts) -> bool {
    let (status, fields) = (head.status, &head.headers);
    let text = |name| fields.get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    matches!(status, StatusCode::OK | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
        && !fields.contains_key(header::CONTENT_ENCODING)
        && length.is_none_or(|length| length >= compression.length_min)
        && text(header::CONTENT_TYPE).is_some_and(|name| compression.is_for(name))
        && !forbids_transforming(fields)
}

/// RFC 9110 §7.7, RFC 9111 §5.2.2.6.
fn forbids_transforming(fields: &HeaderMap) -> bool {
    let mut directives =
        fields.get_all(header::CACHE_CONTROL).iter().flat_map(|value| field::list(value.as_bytes()));
    directives.any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
}

/// The bytes are no longer those that the tag was given for (RFC 9110 §8.8.3.3).
fn weaken_etag(fields: &mut HeaderMap) {
    let Some(tag) = fields.get(header::ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")) else { return };
    match HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        Ok(weak) if tag.as_bytes().starts_with(b"\"") => drop(fields.insert(header::ETAG, weak)),
        // What is no tag could not be made a weak one.
        _ => drop(fields.remove(header::ETAG)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (accepted, is_taken_so) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("gzip;q=0.001", true),
            ("*", false),
            ("identity", false),
            ("x-gzip", false),
            ("", false),
        ] {
            let request = Request::get("/").header("accept-encoding", accepted).body(()).unwrap();
            assert_eq!(is_taken(&request), is_taken_so, "{accepted}");
        }
        let old = Request::get("/").version(Version::HTTP_10).header("accept-encoding", "gzip");
        assert!(!is_taken(&old.body(()).unwrap()));
    }
}
