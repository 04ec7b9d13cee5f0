//! Whether a client without TLS speaks HTTP/2 because it knows that it may (RFC 9113 §3.3).

use std::io;

use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Client;
use super::http2::PREFACE;
use super::linger::in_time;
use crate::timer::Wait;

/// Looks at the first bytes, as many as are needed to tell. One that does not send enough of them in time is HTTP/1's to
/// refuse.
pub(super) async fn is_there(socket: &TcpStream, client: &Client) -> bool {
    client.timer.set(Wait::Client, client.worker.config.downstream.head_timeout);
    let found = loop {
        if !matches!(in_time(client, |cx| socket.poll_read_ready(cx)).await, Some(Ok(()))) {
            break false;
        }
        let mut first = [0; PREFACE.len()];
        // What is only looked at stays in the queue; "would block" then means: wake me when there is more.
        let looked = socket.try_io(Interest::READABLE, || {
            let (length, _) =
                rustix::net::recv(socket, &mut first[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
            match PREFACE.starts_with(&first[..length]) {
                true if (1..PREFACE.len()).contains(&length) => Err(io::ErrorKind::WouldBlock.into()),
                is_preface => Ok(is_preface && length > 0),
            }
        });
        match looked {
            Ok(found) => break found,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break false,
        }
    };
    client.timer.clear(Wait::Client);
    found
}
