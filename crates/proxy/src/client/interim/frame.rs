//! Interim responses as HTTP/2 writes them (RFC 9113 §8.1): a HEADERS frame beside those of h2, whose server can send one
//! while hyper gives no access to it. Its fields are written out in full (RFC 7541 §6.2.2), so that neither side's table
//! is touched and h2's own encoder need not know.

use http::Response;

use crate::frames::{END_HEADERS, HEADERS};

/// Bytes of a frame that any client takes (RFC 9113 §4.2).
const FRAME_BYTES_MAX: usize = 16 << 10;
/// RFC 7541 §6.2.2: a field that enters no table, with the name that stands at place 8 of the static one; or its own.
const STATUS: u8 = 8;
const NAME: u8 = 0;
/// RFC 7541 §5.2: a length below this is one byte.
const SHORT: usize = 127;

/// One for this stream; none if it does not fit into a frame.
pub(crate) fn frame(stream: u32, response: &Response<()>) -> Option<Vec<u8>> {
    let mut block = vec![STATUS];
    put(&mut block, response.status().as_str().as_bytes());
    for (name, value) in response.headers() {
        block.push(NAME);
        put(&mut block, name.as_str().as_bytes());
        put(&mut block, value.as_bytes());
    }
    let length = u32::try_from(block.len()).ok().filter(|_| block.len() <= FRAME_BYTES_MAX)?;
    let head = [&length.to_be_bytes()[1..], &[HEADERS, END_HEADERS], &stream.to_be_bytes()];
    Some([&head.concat(), &block[..]].concat())
}

/// A string, not compressed.
fn put(block: &mut Vec<u8>, string: &[u8]) {
    match string.len().checked_sub(SHORT) {
        None => block.extend(u8::try_from(string.len())),
        Some(mut rest) => {
            block.push(0x7f);
            while rest >= 0x80 {
                block.extend(u8::try_from((rest % 0x80) | 0x80));
                rest /= 0x80;
            }
            block.extend(u8::try_from(rest));
        }
    }
    block.extend_from_slice(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_written_as_the_rfc_has_it() {
        let with =
            |value: &str| Response::builder().status(103).header("link", value).body(()).expect("a response");
        let short = frame(5, &with("</a>")).expect("it fits");
        assert_eq!(short, b"\0\0\x10\x01\x04\0\0\0\x05\x08\x03103\0\x04link\x04</a>");
        let long = frame(5, &with(&"a".repeat(1337))).expect("it fits");
        assert_eq!(&long[9..23], b"\x08\x03103\0\x04link\x7f\xba\x09".as_slice());
        assert_eq!(frame(5, &with(&"a".repeat(FRAME_BYTES_MAX))), None);
    }
}
