//! The staged close of RFC 9112 §9.6: our side is shut, then what the client still sends is read and thrown away until
//! it closes too. Closing with unread bytes would send a reset, and a reset destroys the response that is on its way.

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::client::Client;
use crate::stream::Stream;
use crate::timer::{TICK, Wait};

/// Bytes read and thrown away at a time.
const SCRATCH_BYTES: usize = 16 << 10;
/// Bytes that are thrown away in one tick: ten megabytes a second, since many clients look at an answer only when they have
/// sent all, and little beside what a worker can read. A client that goes on sending at full speed would take all of its time.
const TICK_BYTES: usize = 512 << 10;

/// Ends the connection of a client that has said itself that it sends no more. Nothing of it is unread, so a close sends no
/// reset; over TLS the client is told first. False if it does not take that at once, or something has come all the same.
pub(super) async fn end(stream: &mut Stream) -> bool {
    poll_fn(|cx| {
        let has_come = stream.holds_bytes() || stream.socket().poll_read_ready(cx).is_ready();
        let is_told = match stream {
            _ if has_come => false,
            Stream::Plain(_) => true,
            Stream::Tls(_) => matches!(Pin::new(&mut *stream).poll_shutdown(cx), Poll::Ready(Ok(()))),
        };
        Poll::Ready(is_told)
    })
    .await
}

/// Shuts our side and waits for the client's end, for a limited silence and a limited time.
pub(super) async fn wait(stream: &mut Stream, client: &Client) {
    let limits = client.limits();
    client.timer.set(Wait::Client, limits.write_timeout);
    if !matches!(in_time(client, |cx| Pin::new(&mut *stream).poll_shutdown(cx)).await, Some(Ok(()))) {
        return;
    }
    // The rest of a refused body is expected; anything else is a request that crossed our close on its way. It cannot be
    // answered any more; it can be counted.
    let late = !client.http1.body_is_unread() && !client.http1.guard.borrow().in_body();
    client.timer.set(Wait::Linger, limits.linger_time_max);
    client.timer.set(Wait::Client, limits.linger_timeout);
    let mut rest = Discard::default();
    while let Some(Ok(read @ 1..)) = in_time(client, |cx| rest.poll(stream, cx)).await {
        client.worker.cells.late_bytes.add(if late { read as u64 } else { 0 });
        client.timer.set(Wait::Client, limits.linger_timeout);
    }
}

/// Reads and throws away, at a limited pace.
#[derive(Default)]
pub(super) struct Discard {
    read: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Discard {
    /// How many bytes were thrown away; none at the end.
    pub(super) fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            (self.read, self.pause) = (0, None);
        }
        let mut scratch = [const { MaybeUninit::uninit() }; SCRATCH_BYTES];
        let mut buf = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(stream).poll_read(cx, &mut buf))?;
        self.read += buf.filled().len();
        if self.read >= TICK_BYTES {
            self.pause = Some(Box::pin(sleep(TICK)));
        }
        Poll::Ready(Ok(buf.filled().len()))
    }
}

/// Writes a last response, for as long as the client takes it.
pub(super) async fn write(stream: &mut Stream, client: &Client, mut response: &[u8]) {
    let limits = client.limits();
    client.timer.set(Wait::Client, limits.write_timeout);
    while !response.is_empty() {
        match in_time(client, |cx| Pin::new(&mut *stream).poll_write(cx, response)).await {
            Some(Ok(written @ 1..)) => {
                client.sent(written);
                response = &response[written..];
            }
            _ => return,
        }
    }
    in_time(client, |cx| Pin::new(&mut *stream).poll_flush(cx)).await;
}

/// What `poll` comes to; none if a deadline came first.
pub(super) async fn in_time<T>(
    client: &Client,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|cx| {
        client.timer.attach(cx);
        if client.timer.expired(Wait::Client) || client.timer.expired(Wait::Linger) {
            return Poll::Ready(None);
        }
        poll(cx).map(Some)
    })
    .await
}
