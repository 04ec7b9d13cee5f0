//! What a client still sends on a stream whose request is answered: it is read and thrown away for a limited time.
//!
//! To reset the stream at once is allowed (RFC 9113 §8.1), but a client that gets the reset together with the answer may see
//! nothing but the reset: curl before its version 8 does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::Body;

use crate::client::Http2Stream;
use crate::timer::Wait;

/// Reads until the client has sent all, or has been silent or at it for too long. What is left then is reset.
pub(super) fn poll(stream: &Http2Stream, cx: &mut Context<'_>) -> Poll<()> {
    if stream.request.body_unread.get() {
        ready!(poll_body(stream, cx));
        stream.request.body_unread.set(false);
        stream.timer.clear(Wait::Client);
        stream.timer.clear(Wait::Linger);
    }
    stream.unread.take();
    Poll::Ready(())
}

fn poll_body(stream: &Http2Stream, cx: &mut Context<'_>) -> Poll<()> {
    let limits = stream.client.limits();
    stream.timer.start(Wait::Linger, limits.linger_time_max);
    loop {
        if stream.timer.expired(Wait::Linger) {
            return Poll::Ready(());
        }
        // Its endpoint may still read it; what reads it last leaves it to us, and wakes us.
        let Some(mut body) = stream.unread.take() else { return Poll::Pending };
        stream.timer.start(Wait::Client, limits.linger_timeout);
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(_))) => stream.timer.set(Wait::Client, limits.linger_timeout),
            Poll::Ready(_) => return Poll::Ready(()),
            Poll::Pending if stream.timer.expired(Wait::Client) => return Poll::Ready(()),
            Poll::Pending => {
                stream.unread.set(Some(body));
                return Poll::Pending;
            }
        }
        stream.unread.set(Some(body));
    }
}
