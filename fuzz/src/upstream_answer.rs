//! What an endpoint of HTTP/1 answers is read alike in whatever pieces it comes, and its body is no longer than it is framed.
//! The first byte says whether the request was HEAD.

use proxy::fuzzing::{Answer, answer};

/// Checks it.
pub fn check(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let asks_for_head = first % 2 == 1;
    let whole = answer(bytes, bytes.len().max(1), asks_for_head);
    for size in [1, 2, 3, 7, 64] {
        alike(&answer(bytes, size, asks_for_head), &whole, bytes, size);
    }
    assert!(whole.body.len() <= bytes.len());
    assert!(!(whole.is_broken && whole.is_whole), "it is either");
    if asks_for_head || matches!(whole.status, Some(101 | 204 | 304)) {
        assert!(whole.body.is_empty(), "there is none");
    }
    if let (Some(length), Some(_)) = (length(bytes), whole.status.filter(|_| whole.interims == 0)) {
        assert!(whole.body.len() as u64 <= length, "it is longer than it is framed");
        let has_one = !asks_for_head && !matches!(whole.status, Some(101 | 204 | 304));
        assert!(!has_one || whole.is_whole == (whole.body.len() as u64 == length));
    }
}

/// What will never become a head may be found out with its end alone, if it comes in pieces; all else is the same.
fn alike(one: &Answer, other: &Answer, bytes: &[u8], size: usize) {
    let is_broken = one.is_broken || (one.status.is_none() && other.is_broken);
    let is_same = *other == Answer { is_broken, ..one.clone() };
    assert!(is_same, "in pieces of {size}: {one:?} {other:?} {}", bytes.escape_ascii());
}

/// The length that the first head tells, read by another.
fn length(bytes: &[u8]) -> Option<u64> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    head.parse(bytes).ok().filter(httparse::Status::is_complete)?;
    let length = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(length.value).ok()?.parse().ok()
}
