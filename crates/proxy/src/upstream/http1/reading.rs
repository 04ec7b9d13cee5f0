//! Reads what endpoints send, into one buffer for all connections of a thread: an idle connection holds none.
//!
//! A piece that fills most of the buffer is passed on as it is, and another buffer takes its place; a smaller one is copied
//! into as many bytes as it has, so that what waits for a slow client takes no more than it is.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use crate::stream::Stream;

/// Bytes that one read takes: pieces of a body are this large, and a client that does not take them holds one.
const PIECE_BYTES_MAX: usize = 8 << 10;
/// The same for a client that takes what it is sent as fast as that comes.
const PIECE_BYTES_MAX_IN_STEP: usize = 16 << 10;

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// The next piece; an empty one is the end.
pub(super) fn poll_piece(
    stream: &mut Stream,
    in_step: bool,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    let most = if in_step { PIECE_BYTES_MAX_IN_STEP } else { PIECE_BYTES_MAX };
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        buffer.reserve(most);
        let mut room = (&mut *buffer).limit(most);
        let read = ready!(pin!(stream.read_buf(&mut room)).poll(cx))?;
        let fills_most = read >= buffer.capacity() / 4 * 3;
        Poll::Ready(Ok(if fills_most { buffer.split().freeze() } else { Bytes::copy_from_slice(buffer) }))
    })
}
