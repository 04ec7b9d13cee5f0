//! Floods of connections: many, each of which costs its owner next to nothing. An attacker that is cut comes back at once.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use test_support::frames::{END_HEADERS, END_STREAM, HEADERS, put};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::HOST;
use super::wire::{Wire, get, give_way, opening};
use crate::upstream::LARGE;

/// Between two bytes of a slow attacker.
const BETWEEN: Duration = Duration::from_secs(3);
/// As little as the kernel gives: what a client does not read is to stay with the proxy.
const RECEIVE_BUFFER: u32 = 4 << 10;
/// Requests on a connection of HTTP/2; the proxy allows no more at a time.
pub(crate) const STREAMS: u32 = 128;
/// The setting that no answer may have a body until there is room (RFC 9113 §6.5.2).
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// What is left undone.
#[derive(Clone)]
pub(super) enum Kind {
    /// The head of the request does not end.
    Head,
    /// Its body does not.
    Body,
    /// The answer is not read.
    Read,
    /// The answers have no window.
    Window,
    /// The handshake stops in the middle of this.
    Handshake(Vec<u8>),
}

/// Attacks with one connection after the other, until the process ends.
pub(super) async fn flood(kind: Kind, to: SocketAddr) {
    loop {
        // Being cut is what an attacker expects; being refused, if it is at once, deserves a pause.
        if once(&kind, to).await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn once(kind: &Kind, to: SocketAddr) -> io::Result<()> {
    let buffer = matches!(kind, Kind::Read | Kind::Window).then_some(RECEIVE_BUFFER);
    let mut wire = Wire::open(to, buffer).await?;
    match kind {
        Kind::Head => {
            wire.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX: ").as_bytes()).await?;
            drip(wire).await
        }
        Kind::Body => {
            let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n");
            wire.write_all(head.as_bytes()).await?;
            drip(wire).await
        }
        Kind::Read => {
            wire.write_all(format!("GET {LARGE} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await?;
            until_cut(wire).await
        }
        Kind::Window => {
            // Each request is as much work for others as a connection with one.
            give_way(STREAMS).await;
            let mut bytes = opening(&NO_WINDOW);
            (0..STREAMS).for_each(|place| {
                put(&mut bytes, HEADERS, END_HEADERS | END_STREAM, 2 * place + 1, &get(LARGE));
            });
            wire.write_all(&bytes).await?;
            // Heads have no window: they are read.
            until_end(&mut wire).await
        }
        Kind::Handshake(hello) => {
            wire.write_all(&hello[..hello.len() / 2]).await?;
            until_end(&mut wire).await
        }
    }
}

/// One byte at a time, until the proxy has had enough.
async fn drip(mut wire: Wire) -> io::Result<()> {
    loop {
        tokio::select! {
            ended = until_end(&mut wire) => return ended,
            () = sleep(BETWEEN) => {}
        }
        wire.write_all(b"x").await?;
    }
}

async fn until_end(wire: &mut Wire) -> io::Result<()> {
    let mut scratch = [0; 1024];
    while wire.read(&mut scratch).await? > 0 {}
    Ok(())
}

/// Reads nothing. That the connection has been cut is then only seen by trying to write.
async fn until_cut(mut wire: Wire) -> io::Result<()> {
    loop {
        sleep(BETWEEN).await;
        wire.write_all(b"\r").await?;
    }
}
