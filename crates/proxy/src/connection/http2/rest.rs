//! What a client still sends on a stream whose request is answered: it is read and thrown away for a limited time.
//!
//! To reset the stream at once is allowed (RFC 9113 §8.1), but who gets the reset together with the answer may see nothing
//! but the reset: curl before its version 8 does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::Body;

use crate::connection::Client;
use crate::timer::Wait;

/// Reads until the client has sent all, or has been silent or at it for too long. What is left then is reset.
pub(super) fn poll(client: &Client, cx: &mut Context<'_>) -> Poll<()> {
    if client.body_unread.get() {
        ready!(poll_body(client, cx));
        client.body_unread.set(false);
        client.timer.clear(Wait::Client);
        client.timer.clear(Wait::Linger);
    }
    client.unread.take();
    Poll::Ready(())
}

fn poll_body(client: &Client, cx: &mut Context<'_>) -> Poll<()> {
    let limits = &client.worker.config.downstream;
    client.timer.start(Wait::Linger, limits.linger_time_max);
    loop {
        if client.timer.expired(Wait::Linger) {
            return Poll::Ready(());
        }
        // Its endpoint may still read it; whoever reads it last leaves it to us, and wakes us.
        let Some(mut body) = client.unread.take() else { return Poll::Pending };
        client.timer.start(Wait::Client, limits.linger_timeout);
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(_))) => client.timer.set(Wait::Client, limits.linger_timeout),
            Poll::Ready(_) => return Poll::Ready(()),
            Poll::Pending if client.timer.expired(Wait::Client) => return Poll::Ready(()),
            Poll::Pending => {
                client.unread.set(Some(body));
                return Poll::Pending;
            }
        }
        client.unread.set(Some(body));
    }
}
