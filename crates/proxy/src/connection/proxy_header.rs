//! The PROXY protocol: what a load balancer that passes bytes on says of whom it got them from.
//!
//! It is the word of whoever connects, so it is only asked of the peers that are configured to say it, and of those it is
//! demanded: a peer that sometimes says it and sometimes not would let its clients say it in its place.
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::io;
use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Client;
use super::linger::in_time;
use crate::timer::Wait;

/// The longest header. One of version 1 has at most 107 bytes; one of version 2 grows with what else is said in it, and no
/// load balancer says more than some hundred bytes.
const BYTES_MAX: usize = 4 << 10;

/// Where the bytes come from and where they went, as the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
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
enum Parsed {
    Whole { origin: Option<Origin>, length: usize },
    More,
    Malformed,
}

/// How a header of each version begins.
const BEGINNINGS: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];

fn parse(bytes: &[u8]) -> Parsed {
    if BEGINNINGS.iter().any(|beginning| beginning.starts_with(bytes)) {
        return Parsed::More;
    }
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((header, length)) => {
            let origin = header.proxied_address();
            let origin = origin.map(|it| Origin { client: it.source, local: it.destination });
            Parsed::Whole { origin, length }
        }
        // A line that has ended grows no further.
        Err(Error::BufferTooShort) if !bytes.starts_with(b"PROXY ") || !bytes.contains(&b'\n') => {
            Parsed::More
        }
        Err(_) => Parsed::Malformed,
    }
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
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
        ] {
            assert_eq!(parse(bad), Parsed::Malformed, "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
