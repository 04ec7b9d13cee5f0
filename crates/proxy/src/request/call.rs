//! Calls of gRPC: what is special about their time and their end.
//!
//! A stream may be silent for hours, and a client that does not want to wait for ever says so (`grpc-timeout`). So of such
//! a request silence is not limited, before the head for no longer than any request may take. Who is gone is noticed by the
//! connections' own signs of life.

use std::time::Duration;

use http::header::{self, HeaderMap};

use crate::connection::Client;
use crate::timer::Wait;

/// The endpoint and the client look at the deadline themselves, and know more. Only when neither has ended the call, we do.
const GRACE: Duration = Duration::from_secs(1);

/// Takes note of a request that is one.
pub(super) fn begin(client: &Client, headers: &HeaderMap) {
    let is_call =
        client.is_stream && headers.get(header::CONTENT_TYPE).is_some_and(|t| is_grpc(t.as_bytes()));
    client.is_call.set(is_call);
    let time = headers.get("grpc-timeout").filter(|_| is_call);
    if let Some(time) = time.and_then(|time| parse(time.to_str().ok()?)) {
        client.timer.set(Wait::Call, time.saturating_add(GRACE));
    }
}

/// Whether a response to such a request is one of gRPC's own, which its status ends.
pub(super) fn is_answer(client: &Client, headers: &HeaderMap) -> bool {
    client.is_call.get()
        && headers.get(header::CONTENT_TYPE).is_some_and(|t| is_grpc(t.as_bytes()))
        && !headers.contains_key(header::CONTENT_LENGTH)
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
