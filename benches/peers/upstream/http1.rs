//! HTTP/1 and WebSocket, as the upstream speaks them.

use std::sync::LazyLock;

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;

use crate::message::{ACCEPT, FILL, HUGE, KEY, LARGE, SMALL, WEBSOCKET, field, forever, is_filled, length};
use crate::wire::{Out, Protocol, Rest};

static ANSWERS: LazyLock<[&[u8]; 3]> = LazyLock::new(|| {
    [SMALL, LARGE, HUGE].map(|size| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n");
        forever([head.as_bytes(), &vec![FILL; size]].concat())
    })
});

/// One connection.
#[derive(Default)]
pub(super) struct Server {
    rest: Rest,
    state: State,
}

/// What comes next.
#[derive(Default)]
struct State {
    /// Bytes of a request's body that are still to come.
    body: usize,
    is_websocket: bool,
}

impl Protocol for Server {
    fn receive(&mut self, bytes: &[u8], out: &mut Out) -> Result<usize> {
        let Server { rest, state } = self;
        rest.receive(bytes, |bytes| state.step(bytes, out))?;
        Ok(0)
    }
}

impl State {
    /// Takes what it can use and returns how much that is; `None` if there is too little.
    fn step(&mut self, bytes: &[u8], out: &mut Out) -> Result<Option<usize>> {
        if self.is_websocket {
            return echo(bytes, out);
        }
        if self.body > 0 {
            let body = &bytes[..self.body.min(bytes.len())];
            ensure!(is_filled(body), "a body that no client has sent");
            self.body -= body.len();
            if self.body == 0 {
                out.send(ANSWERS[0]);
            }
            return Ok(Some(body.len()));
        }
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
        self.head(&bytes[..end + 4], out)?;
        Ok(Some(end + 4))
    }

    fn head(&mut self, head: &[u8], out: &mut Out) -> Result<()> {
        let mut words = head.split(|byte| *byte == b' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().context("no path")?);
        match (method, path) {
            (b"POST", _) => self.body = length(head).context("a body without Content-Length")?,
            (_, b"/64k") => out.send(ANSWERS[1]),
            (_, b"/1m") => out.send(ANSWERS[2]),
            (_, path) if path == WEBSOCKET.as_bytes() => {
                ensure!(field(head, "sec-websocket-key") == Some(KEY.as_bytes()), "not the client's key");
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
                );
                out.tail().extend_from_slice(answer.as_bytes());
                self.is_websocket = true;
            }
            _ => out.send(ANSWERS[0]),
        }
        Ok(())
    }
}

/// Sends one message back, unmasked (RFC 6455 §5). All here have the same length, which takes 16 bits.
fn echo(bytes: &[u8], out: &mut Out) -> Result<Option<usize>> {
    const BINARY: u8 = 0x82;
    let Some((&[kind, length, a, b, ref mask @ ..], rest)) = bytes.split_first_chunk::<8>() else {
        return Ok(None);
    };
    if (kind, length) != (BINARY, 0x80 | 126) {
        bail!("another message than the client sends");
    }
    let Some(message) = rest.get(..usize::from(u16::from_be_bytes([a, b]))) else { return Ok(None) };
    let tail = out.tail();
    tail.extend_from_slice(&[BINARY, 126, a, b]);
    tail.extend(message.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    Ok(Some(8 + message.len()))
}
