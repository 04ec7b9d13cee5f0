//! What we say to the client between the frames of h2: that it should leave, and which stream was the last (see
//! [`goodbye`](super::super::goodbye) for when); and what it is told before its answers, see
//! [`Client::interim`]. Neither begins in the middle of the other, or of a frame of h2.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::Http2Io;
use crate::connection::http2::goodbye::{ANY_STREAM, GOODBYE_ALONE, Stage, Word};
use crate::timer::ticks;

impl Http2Io {
    /// Whether the client asks one thing after the other.
    fn is_alone(&self) -> bool {
        self.crowded_at.is_none_or(|at| self.client.now() - at > ticks(GOODBYE_ALONE))
    }

    /// Writes what h2 has, with the goodbye behind it if it is the end of the last answer. The client reads both at once.
    pub(super) fn poll_write_with_goodbye(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.end_our_own(cx))?;
        if !self.goodbye.is(Stage::Due) || !self.is_alone() || !self.open.end_with(bufs) {
            let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
            return self.sent(result);
        }
        let mut word = Word::goaway(ANY_STREAM);
        let all = [bufs, &[io::IoSlice::new(word.rest())]].concat();
        let length = bufs.iter().map(|buf| buf.len()).sum();
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, &all);
        let written = ready!(self.sent(result))?;
        if written >= length {
            self.goodbye.stage.set(Stage::Told);
            word.wrote(written - length);
            self.word = Some(word);
        }
        Poll::Ready(Ok(written.min(length)))
    }

    /// Writes the rest of what we are saying ourselves: nothing of h2 may stand in its middle.
    fn poll_word(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(word) = &mut self.word {
            if word.rest().is_empty() {
                self.word = None;
                break;
            }
            let result = Pin::new(&mut self.stream).poll_write(cx, word.rest());
            if let Poll::Ready(Ok(written)) = result {
                word.wrote(written);
            }
            ready!(self.sent(result))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what clients are to be told before their answers. The requests wait for that.
    fn write_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_word(cx))?;
        let client = Rc::clone(&self.client);
        client.interim.poll_write(|bytes| {
            let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
            if let Poll::Ready(Ok(written)) = result {
                self.carried(&bytes[..written]);
            }
            self.sent(result)
        })
    }

    /// Ends what we are saying ourselves, before h2 writes something: a frame must not be torn apart.
    fn end_our_own(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.client.interim.has_begun() { self.write_interim(cx) } else { self.poll_word(cx) }
    }

    pub(super) fn poll_say(&mut self, cx: &mut Context<'_>, last: u32, then: Stage) -> Poll<io::Result<()>> {
        self.word = Some(Word::goaway(last));
        self.goodbye.stage.set(then);
        self.poll_flush_all(cx)
    }

    pub(super) fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_word(cx))?;
        if self.client.interim.is_there() {
            ready!(self.write_interim(cx))?;
        }
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(result)
    }

    /// Whether nothing is on its way, as far as anyone can know.
    pub(super) fn may_end(&self) -> bool {
        self.goodbye.is(Stage::Ending)
            && self.open.none()
            && self.open.is_whole()
            && self.open.may_speak()
            && self.rest.is_empty()
            && self.word.is_none()
    }
}
