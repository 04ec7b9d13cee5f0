//! Looks at what a client has sent, and leaves it where it is: in the kernel, where it costs this process nothing.

use std::io;
use std::pin::pin;

use memchr::memmem;
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::linger::in_time;
use crate::client::Client;
use crate::config::Downstream;
use crate::error::Refusal;
use crate::guard::{Guard, Limits};
use crate::respond;
use crate::stream::Stream;
use crate::timer::Wait;

/// Bytes of a request that wait in the kernel. A client that has sent so many has paid for the buffers that the rest is read into.
const FIRST_BYTES: usize = 1 << 10;
/// Requests that one worker has under way before it waits for the beginning of bodies. Fewer cost little memory, and a
/// request is told of at once.
const CROWD: u64 = 256;
/// How a client says that it sends no body before it was asked for it (RFC 9110 §10.1.1).
const EXPECT: &[u8] = b"\r\nexpect:";

/// Shows the first bytes to `look` until that has seen enough, and again whenever there are more. It is told whether these
/// are all that it will ever see. None if a deadline came first.
pub(super) async fn until<const BYTES: usize, T>(
    socket: &TcpStream,
    client: &Client,
    mut look: impl FnMut(&[u8], bool) -> Option<T>,
) -> Option<T> {
    loop {
        let mut ready = pin!(socket.ready(Interest::READABLE));
        let ready = in_time(client, |cx| ready.as_mut().poll(cx)).await?.ok()?;
        let ended = ready.is_read_closed();
        // What is only looked at stays in the queue; "would block" then means: wake me when there is more.
        let looked = socket.try_io(Interest::READABLE, || {
            let mut first = [0; BYTES];
            let (length, _) =
                rustix::net::recv(socket, &mut first[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
            let all = ended || length == BYTES || length == 0;
            look(&first[..length], all).ok_or_else(|| io::ErrorKind::WouldBlock.into())
        });
        match looked {
            Ok(seen) => return Some(seen),
            // A socket whose other end is shut is ready for ever.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !ended => {}
            Err(_) => return None,
        }
    }
}

/// Waits until a request is worth reading: its head is whole, or too bad or too long to wait for, or there will be no more
/// of it. A connection whose head comes byte by byte then costs no more than one that is idle. While there are many
/// requests under way, those that say how long their body is have to bring the beginning of it, too: each of them would
/// hold a connection to an endpoint, and buffers for both. The deadline stays set.
///
/// # Errors
/// If it did not come in time; what there was of it is thrown away.
pub(super) async fn request(stream: &Stream, client: &Client) -> Result<(), Refusal> {
    let Stream::Plain(socket) = stream else { return Ok(()) };
    let limits = client.limits();
    client.timer.set(Wait::Client, limits.head_timeout);
    let mut body = None;
    let worth_reading = |bytes: &[u8], all: bool| {
        let has_whole_head = memmem::find(bytes, b"\r\n\r\n").is_some();
        let is_short = bytes.len() < FIRST_BYTES;
        if is_short && has_whole_head && is_crowded(client) && lacks_body(bytes, limits) {
            wait_for_body(client, bytes.len().saturating_sub(body.replace(bytes.len()).unwrap_or(0)));
            // It has left, or shut its side: the rest will never come.
            return all.then_some(Err(Refusal::ClientGone));
        }
        (all || has_whole_head || !is_good_beginning(bytes, limits)).then_some(Ok(()))
    };
    let came = until::<FIRST_BYTES, _>(socket, client, worth_reading).await;
    client.http1.abort.set(false);
    match came {
        Some(Err(gone)) => {
            client.http1.eof.set(true);
            respond::record(client, gone);
            return Err(gone);
        }
        Some(Ok(())) => return Ok(()),
        None if !client.timer.expired(Wait::Client) => return Ok(()),
        None => {}
    }
    if let Ok(read) = socket.try_read(&mut [0; FIRST_BYTES]) {
        client.received(read);
    }
    Err(if body.is_some() { Refusal::BodyTimeout } else { Refusal::HeadTimeout })
}

fn is_good_beginning(bytes: &[u8], limits: &Downstream) -> bool {
    let mut guard = Guard::new(Limits::of(limits));
    let followed = guard.follow(bytes);
    followed.passed == bytes.len() && followed.heads == 0
}

fn is_crowded(client: &Client) -> bool {
    client.worker.cells.requests_in_flight.get() >= CROWD
}

/// Whether a body of a known length is under way, whose sender waits for nothing. One that comes in chunks may be half of
/// a conversation.
fn lacks_body(bytes: &[u8], limits: &Downstream) -> bool {
    let mut guard = Guard::new(Limits::of(limits));
    let followed = guard.follow(bytes);
    let is_alone = followed.passed == bytes.len() && followed.heads == 1;
    let waits = || bytes.windows(EXPECT.len()).any(|some| some.eq_ignore_ascii_case(EXPECT));
    is_alone && guard.in_body_of_length() && !waits()
}

/// So much more has come than at the last look, with the head at the first. The request has begun: should it end here, it
/// is cut.
fn wait_for_body(client: &Client, more: usize) {
    let Client { http1, timer, .. } = client;
    if http1.abort.replace(true) {
        http1.patience.earn(more, timer, client.now(), client.limits());
    } else {
        timer.clear(Wait::Client);
        http1.patience.begin(client.limits());
    }
    http1.patience.wait(timer, client.now());
}
