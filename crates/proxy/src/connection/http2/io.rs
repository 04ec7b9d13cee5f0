//! The socket of a client that speaks HTTP/2: counts bytes, notices a client that takes nothing, and lingers at the end.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::Client;
use crate::stream::Stream;
use crate::timer::Wait;

/// Bytes read and thrown away at a time, at the end.
const SCRATCH_BYTES: usize = 4 << 10;

/// A client's socket as hyper sees it.
pub(super) struct Http2Io {
    stream: Stream,
    client: Rc<Client>,
    /// Our side is shut.
    shut: bool,
}

impl Http2Io {
    pub(super) fn new(stream: Stream, client: Rc<Client>) -> Http2Io {
        Http2Io { stream, client, shut: false }
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
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.client.worker.cells.received_bytes.add((buf.filled().len() - before) as u64);
        match result {
            // Many clients end without TLS' own word for it; frames have a length of their own.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            result => result,
        }
    }
}

impl AsyncWrite for Http2Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.sent(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
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
        loop {
            let mut scratch = [0; SCRATCH_BYTES];
            let mut buf = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
