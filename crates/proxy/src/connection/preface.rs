//! Whether a client without TLS speaks HTTP/2 because it knows that it may (RFC 9113 §3.3).

use tokio::net::TcpStream;

use super::peek;
use crate::client::Client;
use crate::frames::PREFACE;
use crate::timer::Wait;

/// Looks at the first bytes, as many as are needed to tell. One that does not send enough of them in time is HTTP/1's to
/// refuse.
pub(super) async fn is_there(socket: &TcpStream, client: &Client) -> bool {
    client.timer.set(Wait::Client, client.limits().head_timeout);
    let found = peek::until::<{ PREFACE.len() }, bool>(socket, client, |first, all| {
        let decided = all || !PREFACE.starts_with(first);
        decided.then_some(first == PREFACE)
    })
    .await;
    client.timer.clear(Wait::Client);
    found.unwrap_or(false)
}
