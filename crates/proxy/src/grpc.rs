//! Calls of gRPC: what is special about their time and their end.
//!
//! A stream may be silent for hours, and a client that does not want to wait for ever says so (`grpc-timeout`). So of such
//! a request silence is not limited, before the head for no longer than any request may take. A peer that is gone is noticed
//! by the connections' own signs of life.
//!
//! Pure: fields in, answers out.

use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::Refusal;

/// The endpoint and the client look at the deadline themselves, and know more. Only when neither has ended the call, we do.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the fields are those of a request that calls.
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|content_type| is_grpc(content_type.as_bytes()))
}

/// How long the call may last, if its client says so.
pub(crate) fn time_max(headers: &HeaderMap) -> Option<Duration> {
    let time = headers.get("grpc-timeout")?;
    parse(time.to_str().ok()?).map(|time| time.saturating_add(GRACE))
}

/// Whether the response to a call is one of gRPC's own, which its status ends.
pub(crate) fn is_answer(headers: &HeaderMap) -> bool {
    is_call(headers) && !headers.contains_key(header::CONTENT_LENGTH)
}

/// How a call ends that is refused, or whose answer breaks off.
pub(crate) fn status(why: Refusal) -> HeaderMap {
    let text = HeaderValue::from_str(&format!("{} ({why})", why.status()));
    let mut fields = HeaderMap::new();
    fields.insert("grpc-status", HeaderValue::from(code(why)));
    fields.extend(text.ok().map(|text| (HeaderName::from_static("grpc-message"), text)));
    fields
}

/// gRPC's own table (http-grpc-status-mapping.md), with a word for each.
fn code(why: Refusal) -> u16 {
    const UNKNOWN: u16 = 2;
    const DEADLINE_EXCEEDED: u16 = 4;
    const PERMISSION_DENIED: u16 = 7;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match why.status() {
        _ if why == Refusal::CallTimeout => DEADLINE_EXCEEDED,
        StatusCode::BAD_REQUEST => INTERNAL,
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND => UNIMPLEMENTED,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

fn is_grpc(content_type: &[u8]) -> bool {
    let more = content_type.strip_prefix(b"application/grpc");
    more.is_some_and(|more| matches!(more.first(), None | Some(b'+' | b';')))
}

/// At most eight digits and a unit (PROTOCOL-HTTP2.md, "Timeout").
fn parse(time: &str) -> Option<Duration> {
    let (digits, unit) = time.split_at_checked(time.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_grpc_writes_it_and_nothing_else_is() {
        for (raw, millis) in [("1H", 3_600_000), ("2M", 120_000), ("3S", 3000), ("20m", 20), ("5000u", 5)] {
            assert_eq!(parse(raw), Some(Duration::from_millis(millis)), "{raw}");
        }
        assert_eq!(parse("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for raw in ["", "S", "1", "1s", "+1S", "-1S", "1.5S", "123456789S", "1 S", "1\u{e9}"] {
            assert_eq!(parse(raw), None, "{raw}");
        }
    }

    #[test]
    fn only_grpc_itself_is_a_call() {
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(is_grpc(content_type.as_bytes()), "{content_type}");
        }
        for content_type in ["application/grpc-web", "application/json", "application/grpcx", ""] {
            assert!(!is_grpc(content_type.as_bytes()), "{content_type}");
        }
    }
}
