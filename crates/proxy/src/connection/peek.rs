//! Looks at what a client has sent, and leaves it where it is: in the kernel, where it costs this process nothing.

use std::io;
use std::pin::pin;

use memchr::memmem;
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Client;
use super::guard::{Guard, Limits};
use super::linger::in_time;
use crate::error::Refusal;
use crate::stream::Stream;
use crate::timer::Wait;

/// Bytes of a head that wait in the kernel. Whoever has sent so many has paid for the buffers that the rest is read into.
const HEAD_BYTES: usize = 1 << 10;

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

/// Waits until a head is worth reading: it is whole, it is too bad or too long to wait for, or there will be no more of
/// it. A connection whose head comes octet by octet then costs no more than one that is idle. The deadline of the head
/// stays set.
///
/// # Errors
/// If it did not come in time; what there was of it is thrown away.
pub(super) async fn head(stream: &Stream, client: &Client) -> Result<(), Refusal> {
    let Stream::Plain(socket) = stream else { return Ok(()) };
    let limits = &client.worker.config.downstream;
    client.timer.set(Wait::Client, limits.head_timeout);
    let limits =
        Limits { line_bytes_max: limits.request_line_bytes_max, head_bytes_max: limits.head_bytes_max };
    let worth_reading = |bytes: &[u8], all: bool| {
        let surely = all || memmem::find(bytes, b"\r\n\r\n").is_some();
        (surely || !is_good_beginning(bytes, limits)).then_some(())
    };
    if until::<HEAD_BYTES, ()>(socket, client, worth_reading).await.is_some()
        || !client.timer.expired(Wait::Client)
    {
        return Ok(());
    }
    if let Ok(read) = socket.try_read(&mut [0; HEAD_BYTES]) {
        client.worker.cells.received_bytes.add(read as u64);
    }
    Err(Refusal::HeadTimeout)
}

fn is_good_beginning(bytes: &[u8], limits: Limits) -> bool {
    let mut guard = Guard::new(limits);
    let followed = guard.follow(bytes);
    followed.passed == bytes.len() && followed.heads == 0
}
