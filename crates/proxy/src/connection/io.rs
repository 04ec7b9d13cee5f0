//! The one wrapper around a client's socket: it owns what hyper does not do.
//!
//! Counts bytes, follows the framing with the [`Guard`](super::guard::Guard), keeps the deadlines for a head, a body and a
//! stalled write, keeps the end of a client's side from hyper where its answer is still to come, and writes what comes before
//! that ([`Interim`](super::interim::Interim)). It never shuts the socket down: [`linger`](super::linger) does, after hyper
//! is gone.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Client;
use crate::stream::Stream;
use crate::timer::Wait;

/// A client's socket as hyper sees it.
pub(crate) struct ClientIo {
    pub(crate) stream: Stream,
    client: Rc<Client>,
}

impl ClientIo {
    pub(crate) fn new(stream: Stream, client: Rc<Client>) -> ClientIo {
        ClientIo { stream, client }
    }

    /// What a read finds after the guard has refused, or after the client took too long. A fault in a body fails that
    /// body. One in a next head is kept from hyper, which would drop the response that is under way; `drive` looks for
    /// it when that is out.
    fn refuse(&self) -> Poll<io::Result<()>> {
        match self.client.fault_of_request() {
            Some(_) => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            None => Poll::Pending,
        }
    }

    /// Hands on what the guard lets pass.
    fn take(&self, buf: &mut ReadBuf<'_>, before: usize) -> Poll<io::Result<()>> {
        let client = &self.client;
        let read = buf.filled().len() - before;
        if read == 0 {
            return self.end();
        }
        let mut guard = client.guard.borrow_mut();
        let was_in_body = guard.in_body();
        let followed = guard.follow(&buf.filled()[before..]);
        let refused = guard.refused();
        drop(guard);
        let limits = &client.worker.config.downstream;
        // A piece of a head earns no time at all, or a slow client could hold on for ever.
        if followed.heads > 0 {
            client.timer.clear(Wait::Client);
            client.patience.begin(limits);
        } else if was_in_body {
            client.patience.earn(read, &client.timer, client.worker.timers.now(), limits);
        }
        client.heads_passed.set(client.heads_passed.get() + followed.heads);
        client.worker.cells.received_bytes.add(read as u64);
        if followed.passed < read {
            client.fault.set(refused);
            buf.set_filled(before + followed.passed);
            if followed.passed == 0 {
                // An empty read would mean the end of the stream.
                return self.refuse();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The client has closed its side. Where only its answer is missing hyper is not told, which would take that for the
    /// end of everything: many who send nothing more still wait, such as `nc -N` and some health checks.
    fn end(&self) -> Poll<io::Result<()>> {
        let client = &self.client;
        let is_news = !client.eof.replace(true);
        if !client.awaits_answer() {
            return Poll::Ready(Ok(()));
        }
        if is_news {
            client.await_departure();
        }
        Poll::Pending
    }

    /// Nothing came: says how long that may last.
    fn wait(&self) {
        let (client, limits) = (&self.client, &self.client.worker.config.downstream);
        let guard = client.guard.borrow();
        if guard.in_body() {
            client.patience.wait(&client.timer, client.worker.timers.now());
        } else if !guard.at_boundary() && !client.in_flight.get() {
            client.timer.start(Wait::Client, limits.head_timeout);
        }
    }
}

impl Drop for ClientIo {
    /// A response that is not whole must not end cleanly: without a length that would look like its end.
    fn drop(&mut self) {
        let client = &self.client;
        if client.abort.get() || client.in_flight.get() || !client.flushed.get() {
            client.worker.cells.cut.add(u64::from(client.worker.stopping.get()));
            let _ = rustix::net::sockopt::set_socket_linger(self.stream.socket(), Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.client.fault.get().is_some() {
            return this.refuse();
        }
        if this.client.eof.get() {
            return this.end();
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => this.take(buf, before),
            // Many clients end without TLS' own word for it. Whether a message is whole is for its framing to say.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => this.take(buf, before),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.wait();
                Poll::Pending
            }
        }
    }
}

impl ClientIo {
    fn wrote(&self, cx: &Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let client = &self.client;
        client.flushed.set(false);
        match &result {
            Poll::Ready(Ok(written)) => {
                client.timer.clear(Wait::Write);
                client.worker.cells.sent_bytes.add(*written as u64);
                if client.eof.get() {
                    client.await_departure();
                }
                if client.outbox.sent(*written, client.worker.timers.now()) {
                    // hyper has asked for more in this turn, and would not again.
                    cx.waker().wake_by_ref();
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                client.outbox.refused(client.worker.timers.now());
                client.timer.start(Wait::Write, client.worker.config.downstream.write_timeout);
            }
        }
        result
    }
}

impl ClientIo {
    /// Writes what is to be said before the answer. The request waits for that.
    fn write_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let client = Rc::clone(&self.client);
        client.interim.poll_write(|bytes| {
            let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
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
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.wrote(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.go_on_with_interim(cx))?;
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
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
        let client = &this.client;
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => client.flushed.set(true),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                client.outbox.refused(client.worker.timers.now());
                client.timer.start(Wait::Write, client.worker.config.downstream.write_timeout);
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
