//! An endpoint's socket as hyper sees it: notes how far an answer has come, and reads on where nothing can be written.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::interim::Interims;
use crate::stream::Stream;

/// Bytes that one read takes, whatever the buffer has room for: pieces of a body are this large, and a client that does
/// not take them holds one. Less one: hyper would take reads of the whole for a sign that twice as much comes at a time,
/// and make its buffer as large.
const PIECE_BYTES_MAX: u64 = (8 << 10) - 1;
/// The same for a client that takes what it is sent as fast as that comes. haproxy's figure (`tune.bufsize`).
const PIECE_BYTES_MAX_IN_STEP: u64 = (16 << 10) - 1;

/// How far the answer to the current request has come.
#[derive(Default)]
pub(super) struct Progress {
    /// A byte of it has come.
    pub(super) answered: Cell<bool>,
    /// Bytes that may still come before its head is whole: interim responses could come for ever.
    pub(super) left: Cell<usize>,
    /// Its client reads as fast as we write.
    pub(super) in_step: Cell<bool>,
    /// What comes before it.
    pub(super) interims: Interims,
    /// The endpoint reads no more. It may have answered before it closed: hyper would give up at once, so it is let write
    /// into the void until it has read all that there is, and then the end.
    pub(super) deaf: Cell<bool>,
    /// Its end was a reset, which the kernel tells only once: an answer that ends with the connection is not whole.
    reset: Cell<bool>,
}

impl Progress {
    /// Another request is sent; before the head of its answer is whole so many bytes may come.
    pub(super) fn begin(&self, left: usize) {
        self.left.set(left);
        self.answered.set(false);
        self.in_step.set(false);
        self.interims.begin();
    }
}

/// An endpoint's socket as hyper sees it.
pub(super) struct UpstreamIo {
    pub(super) stream: Stream,
    pub(super) progress: Rc<Progress>,
}

impl UpstreamIo {
    pub(super) fn new(stream: Stream, progress: Rc<Progress>) -> UpstreamIo {
        UpstreamIo { stream, progress }
    }

    fn wrote<T>(&self, result: Poll<io::Result<T>>, void: T) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(error)) => {
                self.progress.deaf.set(true);
                self.progress.reset.set(error.kind() == io::ErrorKind::ConnectionReset);
                Poll::Ready(Ok(void))
            }
            result => result,
        }
    }
}

impl AsyncRead for UpstreamIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let most = if this.progress.in_step.get() { PIECE_BYTES_MAX_IN_STEP } else { PIECE_BYTES_MAX };
        let mut piece = (&mut this.stream).take(most);
        let result = Pin::new(&mut piece).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read == 0 && result.is_ready() && this.progress.reset.get() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if read > 0 {
            this.progress.answered.set(true);
            this.progress.interims.follow(&buf.filled()[before..]);
            match this.progress.left.get().checked_sub(read) {
                Some(left) => this.progress.left.set(left),
                None => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            }
        }
        result
    }
}

impl AsyncWrite for UpstreamIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.progress.deaf.get() {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.wrote(result, buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let all = || bufs.iter().map(|buf| buf.len()).sum();
        if this.progress.deaf.get() {
            return Poll::Ready(Ok(all()));
        }
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.wrote(result, all())
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.progress.deaf.get() {
            return Poll::Ready(Ok(()));
        }
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        this.wrote(result, ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What is read of a connection that ends after a write has failed in this way.
    async fn end_after(failed: io::ErrorKind) -> io::Result<usize> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let ours = TcpStream::connect(address).await.expect("a connection");
        drop(listener.accept().await.expect("the same connection"));
        let mut io = UpstreamIo::new(Stream::Plain(ours), Rc::default());
        assert!(matches!(io.wrote(Poll::Ready(Err(failed.into())), 5), Poll::Ready(Ok(5))), "into the void");
        io.read(&mut [0; 1]).await
    }

    /// The kernel tells of a reset once: if a write is told, the read behind it finds what looks like an end in order.
    #[tokio::test]
    async fn an_end_that_a_write_has_met_as_a_reset_is_one_to_the_read_behind_it() {
        assert_eq!(end_after(io::ErrorKind::BrokenPipe).await.ok(), Some(0));
        let reset = end_after(io::ErrorKind::ConnectionReset).await.expect_err("it is no end in order");
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    }
}
