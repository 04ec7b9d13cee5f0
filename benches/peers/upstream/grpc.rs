//! HTTP/2 with unary calls of gRPC, as the upstream speaks it: each call is answered with the same message.

use std::collections::VecDeque;

use anyhow::{Result, ensure};

use crate::frames::{self, DATA, END_HEADERS, END_STREAM, Frame, Frames, PREFACE, WINDOW_UPDATE, add};
use crate::message::message;
use crate::wire::{Out, Protocol};

/// `:status` 200 and `content-type`, without any table that grows (RFC 7541 §6).
const HEAD: &[u8] = b"\x88\x0f\x10\x10application/grpc";
const TRAILERS: &[u8] = b"\x00\x0bgrpc-status\x010";
/// What the other side takes before it says how much (RFC 9113 §6.9.2).
const WINDOW: i64 = 65_535;

/// One connection.
pub(super) struct Server {
    /// Bytes of the client's preface that are still to come.
    preface: usize,
    frames: Frames,
    calls: Calls,
}

struct Calls {
    /// How much the other side takes on this connection.
    window: i64,
    /// Calls that wait for that.
    waiting: VecDeque<u32>,
    message: Vec<u8>,
}

impl Server {
    pub(super) fn new() -> Server {
        let calls = Calls { window: WINDOW, waiting: VecDeque::new(), message: message() };
        Server { preface: PREFACE.len(), frames: Frames::default(), calls }
    }
}

impl Calls {
    fn take(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<()> {
        match frame.kind {
            WINDOW_UPDATE if frame.stream == 0 => self.window += i64::from(frame.increment()),
            DATA if !frame.payload.is_empty() => {
                let known = memchr::memmem::find(&self.message, frame.payload).is_some();
                ensure!(known, "a message that no client has sent");
            }
            _ => {}
        }
        if frame.ends_stream() {
            self.waiting.push_back(frame.stream);
        }
        let size = self.message.len() as i64;
        while self.window >= size
            && let Some(stream) = self.waiting.pop_front()
        {
            self.window -= size;
            add(out, frames::HEADERS, END_HEADERS, stream, HEAD);
            add(out, DATA, 0, stream, &self.message);
            add(out, frames::HEADERS, END_HEADERS | END_STREAM, stream, TRAILERS);
        }
        Ok(())
    }
}

impl Protocol for Server {
    fn receive(&mut self, bytes: &[u8], out: &mut Out) -> Result<usize> {
        let begun = self.preface == 0;
        let (preface, bytes) = bytes.split_at(self.preface.min(bytes.len()));
        self.preface -= preface.len();
        let tail = out.tail();
        if !begun && self.preface == 0 {
            frames::begin(tail);
        }
        let Server { frames, calls, .. } = self;
        frames.receive(bytes, tail, |frame, out| calls.take(frame, out))?;
        Ok(0)
    }
}
