//! The bytes that are asked for and answered with: the same for every proxy.

/// The host that all requests are for.
pub(crate) use crate::manifests::HOST;

/// Bytes of the bodies that the paths `/64k` and `/1m` are answered with, and of the body that is sent to `/post`.
pub(crate) const LARGE: usize = 64 * 1024;
pub(crate) const HUGE: usize = 1024 * 1024;
/// Bytes of all other bodies, and of the messages of WebSocket.
pub(crate) const SMALL: usize = 1024;
/// What each byte of a body is.
pub(crate) const FILL: u8 = b'x';

/// The method of gRPC, as its path.
pub(crate) const METHOD: &str = "/bench.Echo/Say";
/// Bytes of its message, each way, without what comes before it.
const MESSAGE: usize = 100;

/// Where a connection becomes one of WebSocket.
pub(crate) const WEBSOCKET: &str = "/ws";
/// The key of RFC 6455 §1.3, and what it is answered with.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A message of gRPC: not compressed, its length, its bytes.
pub(crate) fn message() -> Vec<u8> {
    [&[0, 0, 0, 0, MESSAGE as u8][..], &[FILL; MESSAGE]].concat()
}

/// Bytes that are needed until this process ends.
pub(crate) fn forever(bytes: Vec<u8>) -> &'static [u8] {
    bytes.leak()
}

/// Whether these may be part of a body.
pub(crate) fn is_filled(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == FILL)
}

/// The value of a field of a head of HTTP/1.
pub(crate) fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
    })
}

/// The body's length, by the head.
pub(crate) fn length(head: &[u8]) -> Option<usize> {
    str::from_utf8(field(head, "content-length")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_whatever_the_case_of_its_name_and_the_blanks_around_its_value() {
        let head = b"HTTP/1.1 200 OK\r\nx-content-length: 7\r\ncontent-Length:  42 \r\n\r\n";
        assert_eq!(length(head), Some(42));
        assert_eq!(field(head, "content"), None);
    }
}
