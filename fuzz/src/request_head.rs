//! What the guard lets pass is read alike by a strict reader and by a lax one, ends where the guard says it ends, and what
//! a strict reader takes is not refused. How the bytes are cut into reads changes nothing. What it wants escaped stands in
//! targets, which hyper can then read; what comes behind a head that asks for another protocol is held.

use http::uri::PathAndQuery;
use proxy::fuzzing::Guard;

use crate::readers::{self, Reading};

/// Longer inputs would meet limits of the guard that the readers do not have.
const ALIKE_BYTES_MAX: usize = 4000;

/// Checks it.
pub fn check(data: &[u8]) {
    cut(data, 16 << 10, 64 << 10);
    // Limits that short inputs meet.
    cut(data, 48, 160);
    alike(data);
}

/// Whole and byte by byte, the same heads end and the same is refused.
pub(crate) fn cut(data: &[u8], line: usize, head: usize) {
    let (mut whole, mut split) = (Guard::new(line, head), Guard::new(line, head));
    let (passed, heads) = whole.follow(data);
    let odd: Vec<usize> = whole.odd().iter().copied().filter(|at| *at < passed).collect();
    let (mut passed_split, mut heads_split, mut odd_split) = (0, 0, Vec::new());
    for (at, byte) in data.iter().enumerate() {
        let (passed, heads) = split.follow(&[*byte]);
        passed_split += passed;
        heads_split += heads;
        odd_split.extend(split.odd().iter().map(|_| at));
    }
    assert!(odd_split.starts_with(&odd), "{odd_split:?} must be escaped, or {odd:?}");
    assert_eq!(whole.holds(), split.holds());
    assert_eq!((whole.refused(), heads), (split.refused(), heads_split));
    assert_eq!(whole.at_boundary(), split.at_boundary());
    // What passes byte by byte may include the beginning of the line that is refused.
    assert!(passed <= passed_split && passed_split <= data.len());
    assert_eq!(whole.refused().is_some() || whole.holds(), passed < data.len() || whole.holds());
    if whole.refused().is_some() {
        let (passed, heads) = whole.follow(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!((passed, heads), (0, 0), "after a refusal nothing passes");
    }
}

/// Follows requests one after the other, beside both readers.
pub(crate) fn alike(data: &[u8]) {
    if data.len() > ALIKE_BYTES_MAX {
        return;
    }
    let (mut guard, mut rest) = (Guard::new(16 << 10, 64 << 10), data);
    loop {
        match readers::strict(rest) {
            Reading::Whole { body, end } => {
                guard.follow(&rest[..end - 1]);
                is_readable(rest, guard.odd());
                assert!(!guard.at_boundary(), "the guard sees an end before the last byte");
                guard.follow(&rest[end - 1..end]);
                assert_eq!(guard.refused(), None, "the strict reader takes it");
                // A next request for the readers.
                guard.release();
                assert!(guard.at_boundary(), "the guard sees no end at the last byte");
                assert_eq!(readers::lax(rest), Some((body, end)), "the lax reader reads something else");
                rest = &rest[end..];
            }
            Reading::Partial => {
                guard.follow(rest);
                return assert!(rest.is_empty() || !guard.at_boundary(), "the guard sees an end, too early");
            }
            Reading::Refused => {
                guard.follow(rest);
                return assert!(guard.refused().is_some(), "the strict reader refuses it");
            }
            Reading::Malformed => return,
        }
    }
}

/// Whether hyper's library takes the target, once that is escaped.
fn is_readable(request: &[u8], odd: &[usize]) {
    let line = request.split(|byte| *byte == b'\n').find(|line| *line != b"\r").unwrap_or_default();
    let at = line.as_ptr().addr() - request.as_ptr().addr();
    let from = line.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
    let target = line[from..].split(|byte| *byte == b' ').next().unwrap_or_default();
    let mut escaped = Vec::new();
    for (place, byte) in target.iter().enumerate() {
        if odd.contains(&(at + from + place)) {
            escaped.extend(model::escape(*byte));
        } else {
            escaped.push(*byte);
        }
    }
    if target.starts_with(b"/") {
        assert!(PathAndQuery::try_from(&*escaped).is_ok(), "{}", escaped.escape_ascii());
    }
    let outside = odd.iter().any(|odd| !(at + from..at + from + target.len()).contains(odd));
    assert!(!outside, "{odd:?} is to be escaped in {}", request.escape_ascii());
}
