//! The one wrapper around a client's socket: it owns what hyper does not do.
//!
//! Counts bytes, follows the framing with the [`Guard`](crate::guard::Guard), escapes what that finds in a target, holds what
//! is said too early, keeps the deadlines for a head, a body and a stalled write, keeps the end of a client's side from hyper
//! where its answer is still to come, and writes what comes before that ([`Client::interim`]). It never
//! shuts the socket down: [`linger`](super::linger) does, after hyper is gone.

mod write;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use model::escape;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::client::Client;
use crate::stream::Stream;
use crate::timer::Wait;

/// Bytes that are kept of what a client says before the protocol is spoken that it has asked for. What is more stays where it
/// is, and is for the tunnel: nginx keeps what came with the head.
const EARLY_BYTES_MAX: usize = 64 << 10;

/// A client's socket as hyper sees it.
pub(crate) struct ClientIo {
    /// There until [`into_stream`](ClientIo::into_stream).
    stream: Option<Stream>,
    client: Rc<Client>,
    /// What may pass and hyper has had no room for, since escapes have made it longer.
    rest: Vec<u8>,
}

impl ClientIo {
    pub(crate) fn new(stream: Stream, client: Rc<Client>) -> ClientIo {
        ClientIo { stream: Some(stream), client, rest: Vec::new() }
    }

    pub(super) fn stream(&mut self) -> &mut Stream {
        self.stream.as_mut().expect("it is taken out at the end")
    }

    /// The socket, on which nothing is cut now.
    pub(super) fn into_stream(mut self) -> Stream {
        self.stream.take().expect("it is taken out once")
    }

    /// What a read finds after the guard has refused, or after the client took too long. A fault in a body fails that
    /// body. One in a next head is kept from hyper, which would drop the response that is under way; `drive` looks for
    /// it when that is out.
    fn refuse(&self) -> Poll<io::Result<()>> {
        match self.client.http1.fault_of_request() {
            Some(_) => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            None => Poll::Pending,
        }
    }

    /// What the socket has given.
    fn receive(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> Poll<io::Result<()>> {
        let read = buf.filled().len() - before;
        if read == 0 {
            return self.end();
        }
        self.client.received(read);
        self.take(buf, before)
    }

    /// Hands on what the guard lets pass.
    fn take(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> Poll<io::Result<()>> {
        let client = &self.client;
        let read = buf.filled().len() - before;
        let mut guard = client.http1.guard.borrow_mut();
        let was_in_body = guard.in_body();
        let followed = guard.follow(&buf.filled()[before..]);
        let refused = guard.refused();
        if guard.holds() {
            let behind = &buf.filled()[before + followed.passed..];
            guard.held().splice(0..0, behind.iter().copied());
        }
        let escaped = escaped(&buf.filled()[before..before + followed.passed], guard.odd());
        drop(guard);
        let limits = client.limits();
        // A piece of a head earns no time at all, or a slow client could hold on for ever.
        if followed.heads > 0 {
            client.timer.clear(Wait::Client);
            client.http1.patience.begin(limits);
        } else if was_in_body {
            client.http1.patience.earn(read, &client.timer, client.now(), limits);
        }
        client.http1.heads_passed.set(client.http1.heads_passed.get() + followed.heads);
        if followed.passed < read {
            client.http1.fault.set(refused);
            buf.set_filled(before + followed.passed);
            if followed.passed == 0 {
                // An empty read would mean the end of the stream.
                return self.refuse();
            }
        }
        if let Some(escaped) = escaped {
            buf.set_filled(before);
            self.rest = escaped;
            hand_on(&mut self.rest, buf);
        }
        Poll::Ready(Ok(()))
    }

    /// Keeps what comes until it is decided which protocol it is of.
    fn hold(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let client = &self.client;
        let before = buf.filled().len();
        loop {
            let mut guard = client.http1.guard.borrow_mut();
            let room = EARLY_BYTES_MAX.saturating_sub(guard.held().len());
            if room == 0 {
                return Poll::Pending;
            }
            let mut piece = self.stream.as_mut().expect("it is taken out at the end").take(room as u64);
            match Pin::new(&mut piece).poll_read(cx, buf) {
                Poll::Ready(Ok(())) if buf.filled().len() == before => {
                    drop(guard);
                    return self.end();
                }
                Poll::Ready(Ok(())) => {
                    let read = &buf.filled()[before..];
                    client.received(read.len());
                    guard.held().extend_from_slice(read);
                    buf.set_filled(before);
                }
                not_read => return not_read,
            }
        }
    }

    /// The client has closed its side. Where only its answer is missing hyper is not told, which would take that for the
    /// end of everything: many that send nothing more still wait, such as `nc -N` and some health checks.
    fn end(&self) -> Poll<io::Result<()>> {
        let client = &self.client;
        let is_news = !client.http1.eof.replace(true);
        if !client.http1.awaits_answer() {
            return Poll::Ready(Ok(()));
        }
        if is_news {
            client.await_departure();
        }
        Poll::Pending
    }

    /// Nothing came: says how long that may last.
    fn wait(&self) {
        let (client, limits) = (&self.client, self.client.limits());
        let guard = client.http1.guard.borrow();
        if guard.in_body() {
            client.http1.patience.wait(&client.timer, client.now());
        } else if !guard.at_boundary() && !client.http1.is_serving() {
            client.timer.start(Wait::Client, limits.head_timeout);
        }
    }
}

impl Drop for ClientIo {
    /// A response that is not whole must not end cleanly: without a length that would look like its end.
    fn drop(&mut self) {
        let (client, Some(stream)) = (&self.client, &self.stream) else { return };
        if client.http1.abort.get() || client.http1.is_serving() || !client.http1.flushed.get() {
            client.worker.cells.cut.add(u64::from(client.worker.stopping.get()));
            let _ = rustix::net::sockopt::set_socket_linger(stream.socket(), Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            hand_on(&mut this.rest, buf);
            return Poll::Ready(Ok(()));
        }
        if !this.client.http1.reads_on() {
            return this.refuse();
        }
        let before = buf.filled().len();
        let mut guard = this.client.http1.guard.borrow_mut();
        if guard.holds() {
            drop(guard);
            return this.hold(cx, buf);
        }
        // They were held, and are now a next request.
        if !guard.held().is_empty() {
            hand_on(guard.held(), buf);
            drop(guard);
            return this.take(buf, before);
        }
        drop(guard);
        if this.client.http1.eof.get() {
            return this.end();
        }
        match Pin::new(this.stream()).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => this.receive(buf, before),
            // Many clients end without TLS' own word for it. Whether a message is whole is for its framing to say.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                this.receive(buf, before)
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.wait();
                Poll::Pending
            }
        }
    }
}

/// These bytes with those escaped that must be, if any must.
fn escaped(bytes: &[u8], odd: &[usize]) -> Option<Vec<u8>> {
    let odd = &odd[..odd.partition_point(|at| *at < bytes.len())];
    if odd.is_empty() {
        return None;
    }
    let mut escaped = Vec::with_capacity(bytes.len() + 2 * odd.len());
    let mut from = 0;
    for at in odd {
        escaped.extend_from_slice(&bytes[from..*at]);
        escaped.extend_from_slice(&escape(bytes[*at]));
        from = at + 1;
    }
    escaped.extend_from_slice(&bytes[from..]);
    Some(escaped)
}

/// Moves as much as there is room for.
fn hand_on(bytes: &mut Vec<u8>, buf: &mut ReadBuf<'_>) {
    let length = bytes.len().min(buf.remaining());
    buf.put_slice(&bytes[..length]);
    bytes.drain(..length);
    if bytes.is_empty() {
        *bytes = Vec::new();
    }
}
