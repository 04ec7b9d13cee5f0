//! Reads the PROXY header that a load balancer says of each connection.
//!
//! It is the word of the peer, so it is only asked of the peers that are configured to say it, and of those it is
//! demanded: a peer that sometimes says it and sometimes not would let its clients say it in its place.

use std::io;

use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::linger::in_time;
use crate::client::Client;
use crate::proxy_header::{BYTES_MAX, Origin, Parsed, parse};
use crate::timer::Wait;

/// Reads the header, all of it and nothing else. `Ok(None)` if the peer speaks for itself, as in a health check.
///
/// # Errors
/// If there is none, it is malformed, or it does not come in time.
pub(super) async fn read(socket: &TcpStream, client: &Client) -> Result<Option<Origin>, Malformed> {
    client.timer.set(Wait::Client, client.limits().handshake_timeout);
    let mut bytes = [0; BYTES_MAX];
    let parsed = loop {
        in_time(client, |cx| socket.poll_read_ready(cx)).await.ok_or(Malformed)?.map_err(|_| Malformed)?;
        // What is only looked at stays in the queue; "would block" then means: wake me when there is more.
        let looked = socket.try_io(Interest::READABLE, || {
            let (length, _) =
                rustix::net::recv(socket, &mut bytes[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
            match parse(&bytes[..length]) {
                Parsed::More if (1..BYTES_MAX).contains(&length) => Err(io::ErrorKind::WouldBlock.into()),
                parsed => Ok(parsed),
            }
        });
        match looked {
            Ok(parsed) => break parsed,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Malformed),
        }
    };
    client.timer.clear(Wait::Client);
    let Parsed::Whole { origin, length } = parsed else { return Err(Malformed) };
    match rustix::net::recv(socket, &mut bytes[..length], RecvFlags::DONTWAIT) {
        Ok((read, _)) if read == length => Ok(origin),
        _ => Err(Malformed),
    }
}

/// No header, or none that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;
