//! The socket of an endpoint that speaks HTTP/2, as hyper sees it: notices that the endpoint says goodbye (GOAWAY), which
//! hyper tells only the next request, and counts the requests that were written, so that of each other one it is known
//! that no endpoint has seen it.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::frames::{Frames, GOAWAY, HEAD, HEADERS, stream};
use crate::stream::Stream;

/// The stream with which a connection is left: numbers end with 2³¹, and the last request of all would fail.
const NEWEST_MAX: u32 = (u32::MAX >> 1) - 0xffff;

/// What was seen of a connection.
pub(super) struct Seen {
    /// No further request may begin on it: its endpoint has said so, or it has ended.
    leaving: Cell<bool>,
    /// Requests of which at least the head of a frame was written.
    written: Cell<u64>,
    /// Nothing can be written any more. Before, what hyper has given up may still be: h2 sends the heads that it has.
    over: Cell<bool>,
    /// Tells requests that wait for a slot that there is room for another connection.
    freed: Rc<Notify>,
}

impl Seen {
    pub(super) fn new(freed: Rc<Notify>) -> Rc<Seen> {
        Rc::new(Seen { leaving: Cell::new(false), written: Cell::new(0), over: Cell::new(false), freed })
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.get()
    }

    pub(super) fn leave(&self) {
        if !self.leaving.replace(true) {
            self.freed.notify_waiters();
        }
    }

    pub(super) fn written(&self) -> u64 {
        self.written.get()
    }

    /// Whether no more will be written than was.
    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Counts from here on.
    pub(super) fn count_anew(&self) {
        self.written.set(0);
    }
}

/// The socket.
pub(super) struct WatchedIo {
    stream: Stream,
    seen: Rc<Seen>,
    read: Frames,
    written: Frames,
    /// The last stream that was begun.
    newest: u32,
    /// The endpoint takes nothing any more.
    deaf: bool,
}

impl WatchedIo {
    pub(super) fn new(stream: Stream, seen: Rc<Seen>) -> WatchedIo {
        let (read, written) = (Frames::default(), Frames::of_a_client());
        WatchedIo { stream, seen, read, written, newest: 0, deaf: false }
    }

    fn look_at_read(&mut self, bytes: &[u8]) {
        let seen = &self.seen;
        self.read.follow(bytes, |head, _| {
            if kind(head) == GOAWAY {
                seen.leave();
            }
            ControlFlow::Continue(())
        });
    }

    fn look_at_written(&mut self, bytes: &[u8]) {
        let (seen, newest) = (&self.seen, &mut self.newest);
        self.written.follow(bytes, |head, _| {
            // Streams begin in the order of their numbers; trailers belong to one that has begun.
            if kind(head) == HEADERS && stream(head) > *newest {
                *newest = stream(head);
                seen.written.set(seen.written.get() + 1);
                if *newest >= NEWEST_MAX {
                    seen.leave();
                }
            }
            ControlFlow::Continue(())
        });
    }

    fn is_deaf(&mut self) {
        self.deaf = true;
        self.seen.over.set(true);
        self.seen.leave();
    }

    /// An endpoint that has closed may have said more than we have read, such as a goodbye with the last request that it
    /// has looked at, or a whole answer. So what is written in vain is no error; the end that is read is.
    fn wrote(&mut self, result: Poll<io::Result<usize>>, all: usize) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Err(error)) if is_closed(&error) => {
                self.is_deaf();
                Poll::Ready(Ok(all))
            }
            result => result,
        }
    }
}

impl Drop for WatchedIo {
    fn drop(&mut self) {
        self.seen.over.set(true);
    }
}

fn kind(head: &[u8; HEAD]) -> u8 {
    head[3]
}

/// After these, reading comes to an end too.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl AsyncRead for WatchedIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.look_at_read(&buf.filled()[before..]);
        result
    }
}

impl AsyncWrite for WatchedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.deaf {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            this.look_at_written(&buf[..written]);
        }
        this.wrote(result, buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let all = bufs.iter().map(|buf| buf.len()).sum();
        if this.deaf {
            return Poll::Ready(Ok(all));
        }
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(mut left)) = result {
            for buf in bufs {
                let part = left.min(buf.len());
                this.look_at_written(&buf[..part]);
                left -= part;
            }
        }
        this.wrote(result, all)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) if this.deaf || is_closed(&error) => {
                this.is_deaf();
                Poll::Ready(Ok(()))
            }
            result => result,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{PREFACE, frame};
    use tokio::net::{TcpListener, TcpStream};

    const PING: u8 = 6;

    async fn watched() -> WatchedIo {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let socket = TcpStream::connect(address).await.expect("a connection");
        let mut io = WatchedIo::new(Stream::Plain(socket), Seen::new(Rc::default()));
        io.look_at_written(PREFACE);
        io
    }

    fn head_of(stream: u32) -> Vec<u8> {
        let mut head = frame(HEADERS, 0, 3);
        head[5..HEAD].copy_from_slice(&stream.to_be_bytes());
        head
    }

    #[tokio::test]
    async fn each_request_is_written_with_the_head_of_its_first_frame_and_its_trailers_are_not_another() {
        let mut io = watched().await;
        let first = head_of(1);
        io.look_at_written(&first[..HEAD - 1]);
        assert_eq!(io.seen.written(), 0);
        io.look_at_written(&first[HEAD - 1..]);
        io.look_at_written(&[frame(PING, 0, 8), head_of(3), head_of(1), head_of(3)].concat());
        assert_eq!(io.seen.written(), 2);
        assert!(!io.seen.is_leaving());
    }

    #[tokio::test]
    async fn a_connection_is_left_with_a_goodbye_and_before_the_numbers_of_streams_run_out() {
        let mut io = watched().await;
        io.look_at_read(&[frame(PING, 0, 8), frame(HEADERS, 0, 3)].concat());
        assert!(!io.seen.is_leaving());
        io.look_at_read(&frame(GOAWAY, 0, 8));
        assert!(io.seen.is_leaving());
        let mut io = watched().await;
        io.look_at_written(&head_of(NEWEST_MAX - 2));
        assert!(!io.seen.is_leaving());
        io.look_at_written(&head_of(NEWEST_MAX));
        assert!(io.seen.is_leaving());
    }
}
