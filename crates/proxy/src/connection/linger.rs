//! The staged close of RFC 9112 §9.6: our side is shut, then what the client still sends is read and thrown away until
//! it closes too. Closing with unread bytes would send a reset, and a reset destroys the response that is on its way.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::Poll;

use tokio::net::TcpStream;

use super::Client;
use crate::timer::Wait;

/// Bytes read and thrown away at a time.
const SCRATCH_BYTES: usize = 4 << 10;

/// Shuts our side and waits for the client's end, for a limited silence and a limited time.
pub(super) async fn wait(stream: &TcpStream, client: &Client) {
    let limits = &client.worker.config.downstream;
    if rustix::net::shutdown(stream, rustix::net::Shutdown::Write).is_err() {
        return;
    }
    // The rest of a refused body is expected; anything else is a request that crossed our close on its way. It cannot be
    // answered any more; it can be counted.
    let late = !client.body_unread.get() && !client.guard.borrow().in_body();
    client.timer.set(Wait::Linger, limits.linger_time_max);
    client.timer.set(Wait::Client, limits.linger_timeout);
    while ready(client, |cx| stream.poll_read_ready(cx).is_ready()).await {
        let mut scratch = [0; SCRATCH_BYTES];
        match stream.try_read(&mut scratch) {
            Ok(0) => break,
            Ok(read) => {
                client.worker.cells.late_bytes.add(if late { read as u64 } else { 0 });
                client.timer.set(Wait::Client, limits.linger_timeout);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
}

/// Writes a last response, for as long as the client takes it.
pub(super) async fn write(stream: &TcpStream, client: &Client, mut response: &[u8]) {
    let limits = &client.worker.config.downstream;
    client.timer.set(Wait::Client, limits.write_timeout);
    while !response.is_empty() && ready(client, |cx| stream.poll_write_ready(cx).is_ready()).await {
        match stream.try_write(response) {
            Ok(written) => {
                client.worker.cells.sent_bytes.add(written as u64);
                response = &response[written..];
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
}

/// Waits until `poll` says so; false if a deadline came first.
async fn ready(client: &Client, mut poll: impl FnMut(&mut std::task::Context<'_>) -> bool) -> bool {
    poll_fn(|cx| {
        client.timer.attach(cx);
        if client.timer.expired(Wait::Client) || client.timer.expired(Wait::Linger) {
            return Poll::Ready(false);
        }
        if poll(cx) { Poll::Ready(true) } else { Poll::Pending }
    })
    .await
}
