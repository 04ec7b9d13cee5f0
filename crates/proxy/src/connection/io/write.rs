//! What is written to a client: deadlines, counts, and what comes before an answer.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::ClientIo;
use crate::timer::Wait;

impl ClientIo {
    fn wrote(&self, cx: &Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let client = &self.client;
        client.http1.flushed.set(false);
        match &result {
            Poll::Ready(Ok(written)) => {
                client.timer.clear(Wait::Write);
                client.sent(*written);
                if client.http1.eof.get() {
                    client.await_departure();
                }
                if client.http1.backlog.sent(*written, client.now()) {
                    // hyper has asked for more in this turn, and would not again.
                    cx.waker().wake_by_ref();
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                client.http1.backlog.refused(client.now());
                client.timer.start(Wait::Write, client.limits().write_timeout);
            }
        }
        result
    }

    /// Writes what is to be said before the answer. The request waits for that.
    fn write_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let client = Rc::clone(&self.client);
        client.interim.poll_write(|bytes| {
            let result = Pin::new(self.stream()).poll_write(cx, bytes);
            self.wrote(cx, result)
        })
    }

    /// The same, before hyper writes something: what has begun must not be torn apart.
    fn go_on_with_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.client.interim.has_begun() { self.write_interim(cx) } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.go_on_with_interim(cx))?;
        let result = Pin::new(this.stream()).poll_write(cx, buf);
        this.wrote(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.go_on_with_interim(cx))?;
        let result = Pin::new(this.stream()).poll_write_vectored(cx, bufs);
        this.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper asks for this only when it has handed over all that it has.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.client.interim.is_there() {
            ready!(this.write_interim(cx))?;
        }
        let flushed = Pin::new(this.stream()).poll_flush(cx);
        let client = &this.client;
        match flushed {
            Poll::Ready(Ok(())) => client.http1.flushed.set(true),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                client.http1.backlog.refused(client.now());
                client.timer.start(Wait::Write, client.limits().write_timeout);
                return Poll::Pending;
            }
        }
        client.timer.clear(Wait::Write);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
