//! HTTP/1, as the clients speak it.

use anyhow::{Context, Result, ensure};
use memchr::memmem;

use super::Asker;
use crate::message::{FILL, HOST, forever, is_filled, length};
use crate::wire::{Out, Protocol};

/// What is asked for, again and again, and the size of the body of each answer.
#[derive(Clone, Copy)]
pub(crate) struct Requests {
    all: &'static [&'static [u8]],
    body: usize,
}

impl Requests {
    /// Of these, that are answered with bodies of this size.
    pub(crate) fn new(all: Vec<&'static [u8]>, body: usize) -> Requests {
        Requests { all: all.leak(), body }
    }

    /// Whether it is the head that was asked for; returns the size of its body.
    fn check(self, head: &[u8]) -> Result<usize> {
        ensure!(head.starts_with(b"HTTP/1.1 200 "), "the answer is {:?}", String::from_utf8_lossy(head));
        let length = length(head).context("an answer without Content-Length")?;
        ensure!(length == self.body, "a body of {length} bytes");
        Ok(length)
    }
}

/// A GET, with these lines of further fields.
pub(crate) fn get(host: &str, path: &str, fields: &str) -> &'static [u8] {
    forever(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").into())
}

/// A POST of a body of this size.
pub(crate) fn post(size: usize) -> &'static [u8] {
    let head = format!("POST /post HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n");
    forever([head.as_bytes(), &vec![FILL; size]].concat())
}

/// How far the next request is from the one before, if there are many: a prime, so that all have their turn.
const STRIDE: usize = 7919;

/// One connection, with one request at a time.
pub(super) struct Client {
    requests: Requests,
    next: usize,
    /// A head that is not complete yet.
    head: Vec<u8>,
    /// Bytes of the body that are still to come; `None` before its head.
    body: Option<usize>,
}

impl Client {
    pub(super) fn new(requests: Requests, place: usize) -> Client {
        Client { requests, next: place * STRIDE, head: Vec::new(), body: None }
    }
}

impl Asker for Client {
    fn ask(&mut self, out: &mut Out) -> Result<()> {
        self.next = (self.next + STRIDE) % self.requests.all.len();
        out.send(self.requests.all[self.next]);
        Ok(())
    }
}

impl Protocol for Client {
    fn receive(&mut self, bytes: &[u8], _: &mut Out) -> Result<usize> {
        let rest = match self.body {
            Some(_) => bytes,
            None => match self.end_of_head(bytes)? {
                Some(end) => &bytes[end..],
                None => return Ok(0),
            },
        };
        ensure!(is_filled(rest), "the body is not the upstream's");
        let left = self.body.unwrap_or(0).checked_sub(rest.len()).context("more bytes than the body has")?;
        self.body = (left > 0).then_some(left);
        Ok(usize::from(left == 0))
    }
}

impl Client {
    /// Where in these bytes the head ends, once it does. Only one in several reads is copied.
    fn end_of_head(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        let before = self.head.len();
        if before > 0 {
            self.head.extend_from_slice(bytes);
        }
        let seen = if before > 0 { &self.head[..] } else { bytes };
        match memmem::find(seen, b"\r\n\r\n") {
            Some(end) => {
                self.body = Some(self.requests.check(&seen[..end + 4])?);
                self.head.clear();
                Ok(Some(end + 4 - before))
            }
            None if before == 0 => {
                self.head.extend_from_slice(bytes);
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new(Requests::new(vec![get(HOST, "/1k", "")], 5), 0)
    }

    #[test]
    fn an_answer_is_complete_once_however_it_is_cut_into_reads() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxxxx";
        for size in 1..=answer.len() {
            let (mut client, mut out) = (client(), Out::default());
            let answers: usize =
                answer.chunks(size).map(|piece| client.receive(piece, &mut out).unwrap()).sum();
            assert_eq!((answers, client.body), (1, None), "in pieces of {size}");
        }
    }

    #[test]
    fn wrong_answers_are_told() {
        let wrong = [
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nxxxxx",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nxxxx",
            "HTTP/1.1 200 OK\r\n\r\nxxxxx",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxyxx",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxxxxHTTP",
        ];
        for wrong in wrong {
            assert!(client().receive(wrong.as_bytes(), &mut Out::default()).is_err(), "{wrong}");
        }
    }
}
