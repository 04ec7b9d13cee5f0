//! The socket of a client that speaks HTTP/2: counts bytes, notices a client that takes nothing or sends nothing but noise,
//! says goodbye where h2 would do it at a bad moment, and lingers at the end.

mod speak;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::budget::Budget;
use super::field_blocks::{FieldBlocks, TooLarge};
use super::goodbye::{ANY_STREAM, Goodbye, Stage, Word};
use super::open::OpenStreams;
use super::turn::Turn;
use crate::client::Client;
use crate::connection::Server;
use crate::connection::linger::Discard;
use crate::error::Refusal;
use crate::frames::Frames;
use crate::respond;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::worker::Worker;

/// Bytes that are read at a time. They are looked through for a flood before anything of them is worked on.
const READ_BYTES_MAX: u64 = 16 << 10;

/// Between two turns of a client that has used up much of its budget, in the middle: a request each is as much as a user who
/// types or clicks needs.
const PAUSE: Duration = Duration::from_millis(50);

/// A client's socket as hyper sees it.
pub(super) struct Http2Io {
    stream: Stream,
    server: Rc<Server>,
    client: Rc<Client>,
    /// What the client may send beside messages.
    budget: Budget,
    blocks: FieldBlocks,
    turn: Rc<Turn>,
    goodbye: Rc<Goodbye>,
    open: OpenStreams,
    /// When more than one of them was last open at a time.
    crowded_at: Option<u32>,
    /// What we are saying beside h2.
    word: Option<Word>,
    /// What has come is followed again where it is handed on: a turn may end in the middle.
    frames: Frames,
    /// What was read and is for the next turns, or belongs to a field block that is not whole.
    rest: Vec<u8>,
    /// How much of that is not held back.
    ready: usize,
    /// A client that has used up much of its budget has to wait for its turns.
    pause: Option<Pin<Box<Sleep>>>,
    /// Our side is shut.
    shut: bool,
    /// What comes after that.
    late: Discard,
}

impl Http2Io {
    pub(super) fn new(
        stream: Stream,
        server: Rc<Server>,
        client: Rc<Client>,
        turn: Rc<Turn>,
        goodbye: Rc<Goodbye>,
    ) -> Http2Io {
        let Worker { config, timers, .. } = &*client.worker;
        let budget = Budget::new(config.downstream.http2.empty_frames_max, timers.now());
        let blocks = FieldBlocks::of_a_client(config.downstream.head_bytes_max.saturating_mul(2));
        let (frames, rest, late) = (Frames::of_a_client(), Vec::new(), Discard::default());
        Http2Io {
            stream,
            server,
            client,
            budget,
            blocks,
            turn,
            goodbye,
            open: OpenStreams::of_a_client(),
            crowded_at: None,
            word: None,
            frames,
            rest,
            ready: 0,
            pause: None,
            shut: false,
            late,
        }
    }

    /// Looks at what has come, and keeps what is too much for this turn or not whole. After a flood nothing is said, and
    /// nothing more is read.
    fn take(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let bytes = &buf.filled()[before..];
        self.client.received(bytes.len());
        if !self.budget.receive(bytes, self.client.now()) {
            return Err(self.flood());
        }
        let passed = self.blocks.follow(bytes).map_err(|TooLarge| self.flood())?;
        let taken = if self.rest.is_empty() { self.turn.take(&bytes[..passed], &mut self.frames) } else { 0 };
        self.ready = if passed == 0 { 0 } else { self.rest.len() + passed - taken };
        self.rest.extend_from_slice(&bytes[taken..]);
        self.open.receive(&bytes[..taken]);
        self.handed_on();
        buf.set_filled(before + taken);
        Ok(())
    }

    fn flood(&self) -> io::Error {
        respond::record(&self.client, Refusal::Flood);
        io::ErrorKind::InvalidData.into()
    }

    /// Hands on what is left from earlier turns, as much as this one has room for.
    fn go_on(&mut self, buf: &mut ReadBuf<'_>) {
        let most = self.ready.min(buf.remaining());
        let taken = self.turn.take(&self.rest[..most], &mut self.frames);
        buf.put_slice(&self.rest[..taken]);
        self.open.receive(&self.rest[..taken]);
        self.handed_on();
        self.rest.drain(..taken);
        self.ready -= taken;
        if self.rest.is_empty() {
            self.rest = Vec::new();
        }
    }

    /// How long a client must wait for its next turn that costs us more than others.
    fn pause_until_next(&self) -> Option<Duration> {
        let has_begun_one = self.turn.has_begun_one();
        if self.budget.is_low() {
            // Not all at the same time.
            return (has_begun_one || self.turn.is_over()).then(|| PAUSE.mul_f64(0.5 + fastrand::f64()));
        }
        let has_large_heads = has_begun_one && self.client.heads().are_many();
        has_large_heads.then(|| self.server.large_heads.next(Instant::now()))
    }

    fn handed_on(&mut self) {
        if self.open.were_a_crowd() {
            self.crowded_at = Some(self.client.now());
        }
        self.goodbye.is_open.set(!self.open.none());
    }

    fn carried(&mut self, bytes: &[u8]) {
        if self.budget.send(bytes) {
            self.turn.carry();
        }
        self.open.send(bytes);
        self.goodbye.is_open.set(!self.open.none());
    }

    /// While the kernel takes nothing, the client has a deadline.
    fn wrote<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => {
                self.client.timer.start(Wait::Write, self.client.limits().write_timeout);
            }
            Poll::Ready(_) => self.client.timer.clear(Wait::Write),
        }
        result
    }

    fn sent(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = result {
            self.client.sent(written);
        }
        self.wrote(result)
    }
}

impl AsyncRead for Http2Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.goodbye.is(Stage::Ended) {
            return this.poll_flush_all(cx);
        }
        if this.goodbye.is(Stage::Telling) && this.word.is_none() && this.open.may_speak() {
            let _ = this.poll_say(cx, ANY_STREAM, Stage::Told)?;
        }
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        if !this.budget.fine(this.client.fines.take()) {
            return Poll::Ready(Err(this.flood()));
        }
        if let Some(pause) = this.pause_until_next() {
            this.pause.insert(Box::pin(sleep(pause))).as_mut().poll(cx).is_pending();
            return Poll::Pending;
        }
        if this.turn.must_wait() {
            return Poll::Pending;
        }
        if this.turn.is_over() {
            return yield_now(cx);
        }
        let before = buf.filled().len();
        // An empty read would mean the end of the stream.
        while buf.filled().len() == before {
            if this.ready > 0 {
                this.go_on(buf);
                break;
            }
            let mut piece = (&mut this.stream).take(READ_BYTES_MAX);
            let read = Pin::new(&mut piece).poll_read(cx, buf);
            if read.is_pending() && this.may_end() {
                // To h2 it looks like the client's end.
                return this.poll_say(cx, this.open.last(), Stage::Ended);
            }
            match ready!(read) {
                Ok(()) if buf.filled().len() == before => break,
                Ok(()) => this.take(buf, before)?,
                // Many clients end without TLS' own word for it; frames have a length of their own.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Not by waking the task at once: then a task that is always ready would go in circles with its like, and what others have
/// sent would not be looked for.
fn yield_now<T>(cx: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

impl AsyncWrite for Http2Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.poll_write_with_goodbye(cx, bufs);
        if let Poll::Ready(Ok(written)) = result {
            let mut left = written;
            for buf in bufs {
                let part = left.min(buf.len());
                this.carried(&buf[..part]);
                left -= part;
            }
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flush_all(cx)
    }

    /// The staged close: what the client still sends is thrown away until it closes too, for a limited time. A reset would
    /// destroy what is on its way to it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            let result = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.wrote(result))?;
            this.shut = true;
            this.client.timer.set(Wait::Write, this.client.limits().linger_timeout);
        }
        while ready!(this.late.poll(&mut this.stream, cx))? > 0 {}
        Poll::Ready(Ok(()))
    }
}
