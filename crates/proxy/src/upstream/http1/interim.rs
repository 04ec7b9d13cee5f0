//! Interim responses (RFC 9110 §15.2), such as 103, that an endpoint sends over HTTP/1 before its answer.
//!
//! hyper skips them, or tells a callback that each request would have to allocate. They are rare, so they are looked for in
//! the first bytes of what comes, beside hyper, which goes on to judge every byte. What is odd about one is no fault here:
//! it only goes no further. Pure: bytes in, heads out.

use std::cell::{Cell, RefCell};

use http::{HeaderName, HeaderValue, Response, StatusCode};
use memchr::memmem;

use crate::field;

/// How one begins.
const BEGINNING: &[u8] = b"HTTP/1.1 1";
/// What ends it.
const END: &[u8] = b"\r\n\r\n";
/// Bytes of one; a longer one goes no further, nor do those behind it. It is kept until it is whole.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Those that are passed on for one request, more than anything has a use for: each costs us and its client a head.
const INTERIMS_MAX: usize = 16;

/// Those that come before one answer.
#[derive(Default)]
pub(super) struct Interims {
    /// What comes now is the answer.
    over: Cell<bool>,
    /// The beginning of one, or what may become one.
    begun: RefCell<Vec<u8>>,
    whole: RefCell<Vec<Response<()>>>,
    passed: Cell<usize>,
}

impl Interims {
    /// Another request is sent.
    pub(super) fn begin(&self) {
        self.over.set(false);
        self.begun.take();
        self.whole.take();
        self.passed.set(0);
    }

    /// These bytes have come.
    pub(super) fn follow(&self, bytes: &[u8]) {
        if self.over.get() {
            return;
        }
        let mut begun = self.begun.borrow_mut();
        if begun.is_empty() && !may_be_one(bytes) {
            self.over.set(true);
            return;
        }
        begun.extend_from_slice(bytes);
        while !self.over.get()
            && may_be_one(&begun)
            && let Some(length) = memmem::find(&begun, END)
        {
            let head: Vec<u8> = begun.drain(..length + END.len()).collect();
            self.keep(&head[..length]);
        }
        if self.over.get() || !may_be_one(&begun) || begun.len() > HEAD_BYTES_MAX {
            self.over.set(true);
            *begun = Vec::new();
        }
    }

    /// Those that have come since the last time.
    /// None of what comes is one that anybody wants.
    pub(super) fn pass_over(&self) {
        self.over.set(true);
    }

    pub(super) fn take(&self) -> Vec<Response<()>> {
        self.whole.take()
    }

    /// 101 is an answer, and 100 is what we have told the client ourselves, if it waited for it.
    fn keep(&self, head: &[u8]) {
        match parse(head) {
            Some(one) if one.status() == StatusCode::SWITCHING_PROTOCOLS => self.over.set(true),
            Some(one) if one.status() != StatusCode::CONTINUE && self.passed.get() < INTERIMS_MAX => {
                self.passed.set(self.passed.get() + 1);
                self.whole.borrow_mut().push(one);
            }
            _ => {}
        }
    }
}

fn may_be_one(bytes: &[u8]) -> bool {
    let length = bytes.len().min(BEGINNING.len());
    bytes[..length] == BEGINNING[..length]
}

/// Reads a head that is beyond doubt.
fn parse(head: &[u8]) -> Option<Response<()>> {
    let head = head.strip_prefix(BEGINNING)?;
    let (digits, rest) = head.split_at_checked(2)?;
    let status = StatusCode::from_bytes(&[b'1', digits[0], digits[1]]).ok()?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    let mut lines = rest.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if !lines.next().is_some_and(|reason| reason.is_empty() || reason.starts_with(b" ")) {
        return None;
    }
    for line in lines {
        let colon = memchr::memchr(b':', line)?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(field::trim(&line[colon + 1..])).ok()?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n";

    /// The statuses that pass, however what comes is cut.
    fn passed(bytes: &str) -> Vec<u16> {
        let of = |size: usize| {
            let interims = Interims::default();
            bytes.as_bytes().chunks(size).for_each(|piece| interims.follow(piece));
            interims.take().iter().map(|one| one.status().as_u16()).collect::<Vec<_>>()
        };
        let whole = of(bytes.len());
        (1..bytes.len()).for_each(|size| assert_eq!(of(size), whole, "pieces of {size}"));
        whole
    }

    #[test]
    fn those_before_the_answer_pass_whatever_comes_behind_it() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n";
        assert_eq!(passed(&format!("{HINTS}{HINTS}{answer}{HINTS}")), [103, 103]);
        assert_eq!(passed(&format!("HTTP/1.1 102\r\n\r\n{answer}")), [102]);
        assert_eq!(passed(answer), [0_u16; 0]);
    }

    #[test]
    fn what_is_ours_to_say_what_is_an_answer_and_what_is_odd_does_not_pass() {
        assert_eq!(passed(&format!("HTTP/1.1 100 Continue\r\n\r\n{HINTS}")), [103]);
        assert_eq!(passed(&format!("HTTP/1.1 101 Switching Protocols\r\n\r\n{HINTS}")), [0_u16; 0]);
        for odd in ["HTTP/1.1 103 Early Hints\r\nLink : </a>\r\n\r\n", "HTTP/1.1 1037\r\n\r\n"] {
            assert_eq!(passed(&format!("{odd}{HINTS}")), [103], "{odd:?}");
        }
        let endless = format!("{HINTS}HTTP/1.1 103\r\nLink: {}", "a".repeat(HEAD_BYTES_MAX));
        let interims = Interims::default();
        interims.follow(endless.as_bytes());
        interims.follow(format!("\r\n\r\n{HINTS}").as_bytes());
        assert_eq!(interims.take().len(), 1);
        assert!(interims.begun.borrow().is_empty());
    }

    #[test]
    fn no_more_pass_than_a_client_needs() {
        assert_eq!(passed(&HINTS.repeat(20)).len(), INTERIMS_MAX);
    }
}
