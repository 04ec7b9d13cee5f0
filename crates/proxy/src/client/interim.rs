//! Interim responses (RFC 9110 §15.2), such as 103, on their way to a client.
//!
//! hyper's servers send none but 100. They are written past it, by what stands between it and the socket, when hyper
//! flushes: then it has nothing to write that would have to come before, and with HTTP/2 no frame is torn apart. That they
//! come before the answer is ensured by the request, which waits until they are written.

mod frame;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::task::{Context, Poll, Waker, ready};

use http::{Response, header};

use super::{Carrier, Http2Stream};
use crate::headers;

/// What a client is to be told before its answers. Boxed, because few are.
#[derive(Default)]
pub(crate) struct Interim(RefCell<Option<Box<Waiting>>>);

#[derive(Default)]
struct Waiting {
    all: VecDeque<One>,
    /// Bytes of the first that are written.
    written: usize,
}

struct One {
    /// Whose it is; 0 with HTTP/1.
    stream: u32,
    bytes: Vec<u8>,
    /// Wakes the request, which waits.
    waker: Waker,
}

impl Interim {
    /// To be written.
    pub(crate) fn say(&self, stream: u32, bytes: Vec<u8>, waker: Waker) {
        self.0.borrow_mut().get_or_insert_default().all.push_back(One { stream, bytes, waker });
    }

    /// Whether there is anything to write.
    pub(crate) fn is_there(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Whether something of this stream's is not written yet.
    pub(crate) fn is_waiting(&self, stream: u32) -> bool {
        self.0.borrow().as_ref().is_some_and(|waiting| waiting.all.iter().any(|one| one.stream == stream))
    }

    /// Whether one is written in part.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|waiting| waiting.written > 0)
    }

    /// The stream is no more.
    pub(crate) fn forget(&self, stream: u32) {
        if let Some(Waiting { all, written }) = self.0.borrow_mut().as_deref_mut() {
            let mut is_begun = *written > 0;
            all.retain(|one| std::mem::take(&mut is_begun) || one.stream != stream);
        }
    }

    /// Writes all, for as long as `write` takes some.
    pub(crate) fn poll_write(
        &self,
        mut write: impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        let mut waiting = self.0.borrow_mut();
        if let Some(Waiting { all, written }) = waiting.as_deref_mut() {
            while let Some(one) = all.front() {
                match ready!(write(&one.bytes[*written..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    more => *written += more,
                }
                if *written == one.bytes.len() {
                    *written = 0;
                    all.pop_front().into_iter().for_each(|one| one.waker.wake());
                }
            }
        }
        *waiting = None;
        Poll::Ready(Ok(()))
    }
}

impl Carrier {
    /// Passes on what its endpoint says before the answer, if the client is one that can be told: HTTP/1.0 knows no such
    /// thing. The endpoint is at work, so its time begins anew.
    pub(crate) fn say_interim(&self, said: Response<()>, cx: &Context<'_>) {
        self.await_head();
        let said = fit(said);
        match self {
            Carrier::Stream(stream) if stream.id > 0 => {
                if let Some(frame) = frame::frame(stream.id, &said) {
                    stream.client.interim.say(stream.id, frame, cx.waker().clone());
                    stream.client.timer.wake();
                }
            }
            Carrier::Connection(client, request) if !request.speaks_http10.get() => {
                client.interim.say(0, head(&said), cx.waker().clone());
            }
            _ => {}
        }
    }

    /// Whether all that it was to be told before its answer is written.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Carrier::Connection(client, _) => !client.interim.is_there(),
            Carrier::Stream(stream) => !stream.client.interim.is_waiting(stream.id),
        }
    }
}

impl Http2Stream {
    /// It is no more.
    pub(crate) fn forget_interim(&self) {
        self.client.interim.forget(self.id);
    }
}

/// One without what concerns the hop that it came over.
fn fit(mut response: Response<()>) -> Response<()> {
    headers::strip_hop_by_hop(response.headers_mut());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// One as HTTP/1 writes it.
fn head(response: &Response<()>) -> Vec<u8> {
    let (mut bytes, status) = (Vec::new(), response.status());
    let _ =
        write!(bytes, "HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_written_in_turn_and_of_a_stream_that_is_no_more_only_what_has_begun() {
        let interim = Interim::default();
        for stream in [1, 3, 1, 3] {
            interim.say(stream, vec![b'0' + stream as u8; 2], Waker::noop().clone());
        }
        let (mut written, mut room) = (Vec::new(), 1);
        let mut write = |bytes: &[u8], room: &mut usize| match room.checked_sub(1) {
            Some(less) => {
                *room = less;
                written.push(bytes[0]);
                Poll::Ready(Ok(1))
            }
            None => Poll::Pending,
        };
        assert!(interim.poll_write(|bytes| write(bytes, &mut room)).is_pending() && interim.has_begun());
        interim.forget(1);
        assert!(interim.is_waiting(1) && interim.is_waiting(3));
        room = 99;
        assert!(interim.poll_write(|bytes| write(bytes, &mut room)).is_ready());
        assert!(!interim.is_there() && !interim.has_begun());
        assert_eq!(written, b"113333");
    }
}
