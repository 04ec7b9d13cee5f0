//! WebSocket (RFC 6455), as the clients speak it: each message has a number, and has to come back as it was.

use anyhow::{Result, ensure};
use memchr::memmem;

use super::Asker;
use crate::message::{ACCEPT, FILL, HOST, KEY, SMALL, WEBSOCKET, field};
use crate::wire::{Out, Protocol};

/// A binary message in one frame, its length in 16 bits.
const BINARY: [u8; 4] = [0x82, 126, (SMALL >> 8) as u8, SMALL as u8];
const MASKED: u8 = 0x80;
/// Changes nothing, and is as good as any where nothing is to be hidden from old caches.
const MASK: [u8; 4] = [0; 4];

/// One connection, with one message at a time.
#[derive(Default)]
pub(super) struct Client {
    is_asked: bool,
    is_open: bool,
    number: u64,
    /// What has come of an answer.
    seen: Vec<u8>,
}

impl Client {
    /// What was sent last, without its mask.
    fn message(&self) -> impl Iterator<Item = u8> {
        self.number.to_be_bytes().into_iter().chain(std::iter::repeat(FILL)).take(SMALL)
    }
}

impl Asker for Client {
    /// First the upgrade, then messages.
    fn ask(&mut self, out: &mut Out) -> Result<()> {
        let out = out.tail();
        if self.is_asked {
            self.number += 1;
            out.extend_from_slice(&[BINARY[0], MASKED | BINARY[1], BINARY[2], BINARY[3]]);
            out.extend_from_slice(&MASK);
            out.extend(self.message());
            return Ok(());
        }
        self.is_asked = true;
        let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
        let head = format!(
            "GET {WEBSOCKET} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        Ok(())
    }
}

impl Protocol for Client {
    fn receive(&mut self, bytes: &[u8], _: &mut Out) -> Result<usize> {
        self.seen.extend_from_slice(bytes);
        if !self.is_open {
            let Some(end) = memmem::find(&self.seen, b"\r\n\r\n") else { return Ok(0) };
            let head = &self.seen[..end + 4];
            let accepted = head.starts_with(b"HTTP/1.1 101 ")
                && field(head, "sec-websocket-accept") == Some(ACCEPT.as_bytes())
                && end + 4 == self.seen.len();
            ensure!(accepted, "the upgrade is answered with {:?}", String::from_utf8_lossy(&self.seen));
            self.is_open = true;
            self.seen.clear();
            return Ok(1);
        }
        if self.seen.len() < BINARY.len() + SMALL {
            return Ok(0);
        }
        let echoed = self.seen.iter().copied().eq(BINARY.into_iter().chain(self.message()));
        ensure!(echoed, "message {} has not come back as it was", self.number);
        self.seen.clear();
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that is connected and has sent two messages.
    fn client() -> Client {
        Client { is_asked: true, is_open: true, number: 2, seen: Vec::new() }
    }

    #[test]
    fn a_message_has_to_come_back_as_it_was() {
        let right: Vec<u8> = BINARY.into_iter().chain(client().message()).collect();
        let mut out = Out::default();
        let mut in_two = client();
        let answers = [&right[..700], &right[700..]].map(|part| in_two.receive(part, &mut out).unwrap());
        assert_eq!(answers, [0, 1]);

        let former = Client { number: 1, ..client() };
        let late: Vec<u8> = BINARY.into_iter().chain(former.message()).collect();
        assert!(client().receive(&late, &mut out).is_err(), "the message before");
        assert!(client().receive(&[right, vec![0]].concat(), &mut out).is_err(), "more than a message");
    }
}
