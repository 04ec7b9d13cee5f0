//! The socket of a client that speaks HTTP/2: counts bytes, notices a client that takes nothing or sends nothing but noise,
//! and lingers at the end.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::budget::Budget;
use crate::connection::Client;
use crate::connection::linger::Discard;
use crate::error::Refusal;
use crate::respond;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::worker::Worker;

/// Bytes that are read before others get their turn: h2 would go on for as long as there are any, and a few kilobytes may
/// be hundreds of frames.
const TURN_BYTES: usize = 16 << 10;

/// A client's socket as hyper sees it.
pub(super) struct Http2Io {
    stream: Stream,
    client: Rc<Client>,
    /// What the client may send beside messages.
    budget: Budget,
    /// Bytes read in this turn.
    turn: Rc<Cell<usize>>,
    /// Our side is shut.
    shut: bool,
    /// What comes after that.
    rest: Discard,
}

impl Http2Io {
    /// A turn begins when the count of its bytes is set to nothing.
    pub(super) fn new(stream: Stream, client: Rc<Client>, turn: Rc<Cell<usize>>) -> Http2Io {
        let Worker { config, timers, .. } = &*client.worker;
        let budget = Budget::new(config.downstream.http2.empty_frames_max, timers.now());
        Http2Io { stream, client, budget, turn, shut: false, rest: Discard::default() }
    }

    /// What has come is handed on, unless it is a flood: then nothing is said, and nothing more is read.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let worker = &self.client.worker;
        worker.cells.received_bytes.add(bytes.len() as u64);
        self.turn.set(self.turn.get() + bytes.len());
        if self.budget.receive(bytes, worker.timers.now()) {
            return Ok(());
        }
        respond::record(&self.client, Refusal::Flood);
        Err(io::ErrorKind::InvalidData.into())
    }

    /// While the kernel takes nothing, the client has a deadline.
    fn wrote<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => {
                self.client.timer.start(Wait::Write, self.client.worker.config.downstream.write_timeout);
            }
            Poll::Ready(_) => self.client.timer.clear(Wait::Write),
        }
        result
    }

    fn sent(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = result {
            self.client.worker.cells.sent_bytes.add(written as u64);
        }
        self.wrote(result)
    }
}

impl AsyncRead for Http2Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.turn.get() >= TURN_BYTES {
            return yield_now(cx);
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        match result {
            Poll::Ready(Ok(())) => Poll::Ready(this.take(&buf.filled()[before..])),
            // Many clients end without TLS' own word for it; frames have a length of their own.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            result => result,
        }
    }
}

/// Not by waking the task at once: then whoever is always ready would go in circles with its like, and what others have
/// sent would not be looked for.
fn yield_now<T>(cx: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

impl AsyncWrite for Http2Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            this.budget.send(&buf[..written]);
        }
        this.sent(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(written)) = result {
            let mut left = written;
            for buf in bufs {
                let part = left.min(buf.len());
                this.budget.send(&buf[..part]);
                left -= part;
            }
        }
        this.sent(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        this.wrote(result)
    }

    /// The staged close: what the client still sends is thrown away until it closes too, for a limited time. A reset would
    /// destroy what is on its way to it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            let result = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.wrote(result))?;
            this.shut = true;
            this.client.timer.set(Wait::Write, this.client.worker.config.downstream.linger_timeout);
        }
        while ready!(this.rest.poll(&mut this.stream, cx))? > 0 {}
        Poll::Ready(Ok(()))
    }
}
