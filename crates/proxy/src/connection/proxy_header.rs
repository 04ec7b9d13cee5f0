//! The PROXY protocol: what a load balancer that passes bytes on says of whom it got them from.
//!
//! It is the word of whoever connects, so it is only asked of the peers that are configured to say it, and of those it is
//! demanded: a peer that sometimes says it and sometimes not would let its clients say it in its place.
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::io;
use std::net::SocketAddr;

use proxy_header::{ParseConfig, ProxyHeader};
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Client;
use super::linger::in_time;
use crate::timer::Wait;

/// The longest header. One of version 1 has at most 107 bytes; one of version 2 grows with what else is said in it, and no
/// load balancer says more than some hundred bytes.
const BYTES_MAX: usize = 4 << 10;
/// The longest line of version 1 with its end, as its specification counts it.
const LINE_BYTES_MAX: usize = 107;

/// Where the bytes come from and where they went, as the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// Reads the header, all of it and nothing else. `Ok(None)` if the peer speaks for itself, as in a health check.
///
/// # Errors
/// If there is none, it is malformed, or it does not come in time.
pub(super) async fn read(socket: &TcpStream, client: &Client) -> Result<Option<Origin>, Malformed> {
    client.timer.set(Wait::Client, client.worker.config.downstream.handshake_timeout);
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

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Whole { origin: Option<Origin>, length: usize },
    More,
    Malformed,
}

/// How a header of each version begins.
const LINE: &[u8] = b"PROXY ";
const BLOCK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What follows the beginning of a block: what it is, whom it speaks of, and its length in two bytes.
const BLOCK_HEAD_BYTES: usize = BLOCK.len() + 4;
/// In a block: the peer speaks for itself, or for another.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    if bytes.starts_with(LINE) {
        line(bytes)
    } else if bytes.starts_with(BLOCK) {
        block(bytes)
    } else if LINE.starts_with(bytes) || BLOCK.starts_with(bytes) {
        Parsed::More
    } else {
        Parsed::Malformed
    }
}

/// Version 1. The parser takes lines that are too long, signs and zeros before a port, and any word that begins with
/// `UNKNOWN`; the balancer that wrote such a line does not, so it was not the balancer.
fn line(bytes: &[u8]) -> Parsed {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() < LINE_BYTES_MAX { Parsed::More } else { Parsed::Malformed };
    };
    let line = &bytes[..=end];
    let ports = |it: &Origin| format!(" {} {}\r\n", it.client.port(), it.local.port());
    match believed(line) {
        _ if line.len() > LINE_BYTES_MAX => Parsed::Malformed,
        Some(Some(origin)) if line.ends_with(ports(&origin).as_bytes()) => {
            Parsed::Whole { origin: Some(origin), length: line.len() }
        }
        Some(None) if matches!(line.get(b"PROXY UNKNOWN".len()), Some(b' ' | b'\r')) => {
            Parsed::Whole { origin: None, length: line.len() }
        }
        _ => Parsed::Malformed,
    }
}

/// Version 2. It says its length, and of a peer that speaks for itself the rest is to be passed over, whatever it is.
fn block(bytes: &[u8]) -> Parsed {
    let Some(&[command, _, high, low]) = bytes.get(BLOCK.len()..BLOCK_HEAD_BYTES) else {
        return Parsed::More;
    };
    let length = BLOCK_HEAD_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if !matches!(command, LOCAL | PROXY) || length > BYTES_MAX {
        return Parsed::Malformed;
    }
    let Some(block) = bytes.get(..length) else { return Parsed::More };
    let origin = if command == LOCAL { Some(None) } else { believed(block) };
    origin.map_or(Parsed::Malformed, |origin| Parsed::Whole { origin, length })
}

/// What the parser reads in a header that is there to its last byte; the inner `None` if it names nobody.
fn believed(header: &[u8]) -> Option<Option<Origin>> {
    let (read, length) = ProxyHeader::parse(header, ParseConfig::default()).ok()?;
    let origin = read.proxied_address().map(|it| Origin { client: it.source, local: it.destination });
    (length == header.len()).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_name_the_client_and_unknown_and_local_name_nobody() {
        let addresses = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
        let origin =
            Origin { client: "192.0.2.7:4711".parse().unwrap(), local: "198.51.100.1:443".parse().unwrap() };
        let whole = |origin, length| Parsed::Whole { origin, length };
        assert_eq!(parse(format!("{addresses}GET /").as_bytes()), whole(Some(origin), addresses.len()));
        assert_eq!(parse(b"PROXY UNKNOWN\r\n"), whole(None, 15));
        let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
        assert_eq!(parse(local), whole(None, 16));
        let local_with_more = b"\r\n\r\n\0\r\nQUIT\n\x20\x99\0\x02abGET /";
        assert_eq!(parse(local_with_more), whole(None, 18));
        let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x01\xbb";
        assert_eq!(parse(v2), whole(Some(origin), v2.len()));
    }

    #[test]
    fn every_beginning_of_a_header_asks_for_more_and_anything_else_is_malformed() {
        let header = b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n";
        for length in 1..header.len() {
            assert_eq!(parse(&header[..length]), Parsed::More, "{length} bytes");
        }
        for bad in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\x16\x03\x01\x02\x00",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
            b"PROXY TCP4 192.0.2.7 2001:db8::1 4711 443\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 99999\r\n",
            b"PROXYxTCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 +443\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 0443\r\n",
            b"PROXY UNKNOWNS\r\n",
            b"PROXY UNKNOWN a\nb\r\n",
            format!("PROXY UNKNOWN {}\r\n", "x".repeat(LINE_BYTES_MAX)).as_bytes(),
            b"\r\nGET /",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
            // Too short for the addresses it says it has: no more bytes will make it longer.
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04\0\0\0\0",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        ] {
            assert_eq!(parse(bad), Parsed::Malformed, "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
