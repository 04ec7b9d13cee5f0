//! The end of a chunked body, and its data, are what a strict and a lax reader say they are. As in `request_head`, but each
//! input begins where the chunks do.

use crate::request_head;

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Checks it.
pub fn check(data: &[u8]) {
    let whole = [HEAD, data].concat();
    request_head::cut(&whole, 16 << 10, 64 << 10);
    request_head::alike(&whole);
}
