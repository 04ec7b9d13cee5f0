//! One upstream connection of HTTP/1.
//!
//! In the order of a request: its head is made bytes once for all attempts ([`head`]), written together with its body
//! ([`sending`]), and the head of the answer is read ([`answer`]); then the body of that comes, framed by [`framing`] and
//! [`chunked`], in pieces that are read into a buffer which all connections of a thread share ([`reading`]).
//!
//! The connection has no task: what uses it polls it. So no wake-up ever crosses tasks and no channel is waited on. One that
//! is idle keeps its socket and nothing else.

pub(crate) mod answer;
mod chunked;
mod framing;
mod head;
mod reading;
mod sending;
mod sent;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::io::AsyncWrite;
use tokio::task::unconstrained;

pub(crate) use self::framing::Framing;
pub(crate) use self::head::RequestHead;
use self::sending::Sending;
use crate::config::Upstream;
use crate::error::Refusal;
use crate::stream::Stream;

/// An open connection to an endpoint.
pub(crate) struct Http1Connection {
    stream: Stream,
    /// What was read and is not used yet.
    read: Bytes,
    /// What is to be written behind the head, or of that where the socket did not take it at once.
    sending: Option<Box<Sending>>,
    limits: Limits,
    stage: Stage,
    /// Whether it may carry another request.
    is_kept: bool,
    /// A byte of the current request was written.
    is_begun: bool,
    /// A byte of its answer has come.
    is_answered: bool,
    /// Its client reads as fast as we write.
    in_step: bool,
    /// Something may wait in the session of TLS.
    is_unflushed: bool,
    /// The endpoint reads no more. It may have answered before it closed: so what is written goes into the void until all
    /// that there is was read, and then the end.
    is_deaf: bool,
    /// Its end was a reset, which the kernel tells only once: an answer that ends with the connection is not whole.
    is_reset: bool,
}

/// How far a connection has come with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It carries none.
    Idle,
    /// The head of the answer is waited for.
    Head,
    /// The body of the answer is.
    Body,
}

/// What may come of one answer.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of its head, and of its trailers.
    pub(crate) bytes_max: usize,
    /// Fields of either.
    pub(crate) fields_max: usize,
}

/// It is no HTTP, or it broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// What became of a request that got no response.
pub(crate) struct Unanswered<R> {
    pub(crate) why: Refusal,
    /// What was to be sent, if none of it was.
    pub(crate) unsent: Option<R>,
    /// Whether a byte of a response had come.
    pub(crate) answered: bool,
    /// Whether the endpoint says that it has not looked at it, whatever was sent.
    pub(crate) unseen: bool,
}

impl Http1Connection {
    pub(super) fn new(stream: Stream, limits: &Upstream) -> Box<Http1Connection> {
        let limits = Limits { bytes_max: limits.head_bytes_max, fields_max: limits.head_fields_max };
        Box::new(Http1Connection {
            stream,
            read: Bytes::new(),
            sending: None,
            limits,
            stage: Stage::Idle,
            is_kept: true,
            is_begun: false,
            is_answered: false,
            in_step: false,
            is_unflushed: false,
            is_deaf: false,
            is_reset: false,
        })
    }

    /// The socket of a connection whose protocol was switched, and what came on it after the answer.
    pub(crate) fn into_stream(self) -> (Stream, Bytes) {
        (self.stream, self.read)
    }

    /// From here on pieces may be larger.
    pub(crate) fn keep_step(&mut self) {
        self.in_step = true;
    }

    /// What comes next of the body of the answer; none at its end. The rest of the request is written beside.
    pub(crate) fn poll_frame(
        &mut self,
        framing: &mut Framing,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let polled = self.poll_frame_or_end(framing, cx);
        if framing.is_over() {
            self.stage = Stage::Idle;
        }
        polled
    }

    fn poll_frame_or_end(
        &mut self,
        framing: &mut Framing,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match framing.next(&mut self.read, &self.limits) {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if framing.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(broken) => return Poll::Ready(Some(Err(broken))),
            }
            if self.poll_write(&mut &[][..], cx).is_err() {
                return Poll::Ready(Some(Err(Broken)));
            }
            match ready!(self.poll_read(cx)) {
                Ok(piece) if piece.is_empty() => return Poll::Ready(framing.end().err().map(Err)),
                Ok(piece) => self.read = piece,
                Err(_) => return Poll::Ready(Some(Err(Broken))),
            }
        }
    }

    /// Whether it carries nothing and may carry another request: the last one is written and its answer read, both to the end.
    pub(super) fn is_at_rest(&mut self) -> bool {
        let mut without_waker = Context::from_waker(Waker::noop());
        self.stage == Stage::Idle
            && self.is_kept
            && self.read.is_empty()
            && self.poll_write(&mut &[][..], &mut without_waker).is_ok()
            && self.sending.is_none()
            && !self.is_unflushed
            && !self.is_deaf
    }

    /// Whether an idle connection is still open, as far as the runtime knows: a look at a flag, not a system call. What comes
    /// unasked ends it.
    pub(super) fn is_open(&mut self) -> bool {
        if !self.is_at_rest() {
            return false;
        }
        // Unconstrained: it must not say so because this task has used up its share of this turn.
        let mut read = pin!(unconstrained(poll_fn(|cx| self.poll_read(cx))));
        read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// The next piece of what the endpoint sends; an empty one is its end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let piece = ready!(reading::poll_piece(&mut self.stream, self.in_step, cx))?;
        self.is_kept &= !piece.is_empty();
        if piece.is_empty() && self.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.is_answered |= !piece.is_empty();
        Poll::Ready(Ok(piece))
    }

    /// Writes what the socket takes of the head and of what stands behind it.
    ///
    /// # Errors
    /// What is wrong with the body, of which no more comes.
    fn poll_write(&mut self, head: &mut &[u8], cx: &mut Context<'_>) -> Result<(), Refusal> {
        loop {
            if let Some(sending) = &mut self.sending {
                // Of a request that cannot be written here the body is left to another endpoint.
                if !self.is_deaf || self.is_begun {
                    sending.fill(cx).inspect_err(|_| self.is_kept = false)?;
                }
                if self.is_deaf && sending.has_pieces() {
                    sending.skip();
                    continue;
                }
                if sending.is_over() {
                    self.sending = None;
                }
            }
            if self.is_deaf {
                *head = &[];
            }
            let waiting = self.sending.as_ref().filter(|sending| sending.has_pieces());
            if head.is_empty() && waiting.is_none() {
                break;
            }
            let written = match waiting {
                None => Pin::new(&mut self.stream).poll_write(cx, head),
                Some(sending) => sending.poll_write(head, &mut self.stream, cx),
            };
            match written {
                Poll::Ready(Ok(bytes)) if bytes > 0 => self.wrote(head, bytes),
                Poll::Ready(Ok(_)) => self.is_deaf = true,
                Poll::Ready(Err(error)) => self.has_failed(&error),
                Poll::Pending => break,
            }
        }
        self.flush(cx);
        Ok(())
    }

    fn wrote(&mut self, head: &mut &[u8], bytes: usize) {
        self.is_begun = true;
        self.is_unflushed = matches!(self.stream, Stream::Tls(_));
        let of_head = bytes.min(head.len());
        *head = &head[of_head..];
        if let Some(sending) = &mut self.sending {
            sending.advance(bytes - of_head);
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        if self.is_unflushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.is_unflushed = false,
                Poll::Ready(Err(error)) => self.has_failed(&error),
                Poll::Pending => {}
            }
        }
    }

    fn has_failed(&mut self, error: &io::Error) {
        self.is_deaf = true;
        self.is_unflushed = false;
        self.is_reset |= error.kind() == io::ErrorKind::ConnectionReset;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What is read of a connection that ends after a write has failed in this way.
    async fn end_after(failed: io::ErrorKind) -> io::Result<Bytes> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let ours = TcpStream::connect(address).await.expect("a connection");
        drop(listener.accept().await.expect("the same connection"));
        let mut connection = Http1Connection::new(Stream::Plain(ours), &Upstream::default());
        connection.has_failed(&failed.into());
        let mut head = &b"into the void"[..];
        std::future::poll_fn(|cx| {
            assert!(connection.poll_write(&mut head, cx).is_ok() && head.is_empty());
            connection.poll_read(cx)
        })
        .await
    }

    /// The kernel tells of a reset once: if a write is told, the read behind it finds what looks like an end in order.
    #[tokio::test]
    async fn an_end_that_a_write_has_met_as_a_reset_is_one_to_the_read_behind_it() {
        assert_eq!(end_after(io::ErrorKind::BrokenPipe).await.ok(), Some(Bytes::new()));
        let reset = end_after(io::ErrorKind::ConnectionReset).await.expect_err("it is no end in order");
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    }
}
