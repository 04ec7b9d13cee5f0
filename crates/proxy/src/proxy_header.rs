//! The PROXY protocol: where a connection comes from, as what is said before HTTP has it. A load balancer says it to us, and
//! we say it to endpoints that ask for it. Pure: bytes in, addresses out, and back.
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::net::{IpAddr, SocketAddr};

use ::proxy_header::{ParseConfig, ProxiedAddress, ProxyHeader};
use model::ProxyHeader as Version;

/// The longest header. One of version 1 has at most 107 bytes; one of version 2 grows with what else is said in it, and no
/// load balancer says more than some hundred bytes.
pub(crate) const BYTES_MAX: usize = 4 << 10;
/// The longest line of version 1 with its end, as its specification counts it.
const LINE_BYTES_MAX: usize = 107;

/// Where the bytes come from and where they went, as the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Whole { origin: Option<Origin>, length: usize },
    More,
    Malformed,
}

/// How a header of each version begins.
const LINE: &[u8] = b"PROXY ";
const BLOCK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What follows the beginning of a block: what it is, the family of its addresses, and its length in two bytes.
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

/// What the parser reads in a header that is there to its last byte; the inner `None` if it names no client.
fn believed(header: &[u8]) -> Option<Option<Origin>> {
    let (read, length) = ProxyHeader::parse(header, ParseConfig::default()).ok()?;
    let origin = read.proxied_address().map(|it| Origin { client: it.source, local: it.destination });
    (length == header.len()).then_some(origin)
}

/// The header that says so, in this version. Without an origin it says that it is for none.
pub(crate) fn header(version: Version, origin: Option<Origin>) -> Vec<u8> {
    let header = match origin.map(one_family) {
        Some(Origin { client, local }) => ProxyHeader::with_address(ProxiedAddress::stream(client, local)),
        None => ProxyHeader::with_local(),
    };
    let mut bytes = Vec::new();
    let written = match version {
        Version::V1 => header.encode_v1(&mut bytes),
        Version::V2 => header.encode_v2(&mut bytes),
    };
    debug_assert!(written.is_ok(), "both addresses are of one family, and nothing else is said");
    bytes
}

/// Both addresses as IPv4 where both are, however they are written; else both as IPv6.
fn one_family(Origin { client, local }: Origin) -> Origin {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (client, local) = (canonical(client), canonical(local));
    if client.is_ipv4() == local.is_ipv4() {
        return Origin { client, local };
    }
    let six = |address: SocketAddr| match address.ip() {
        IpAddr::V4(four) => SocketAddr::new(four.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    Origin { client: six(client), local: six(local) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_name_the_client_and_unknown_and_local_name_none() {
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

    fn origin(client: &str, local: &str) -> Origin {
        Origin { client: client.parse().unwrap(), local: local.parse().unwrap() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (client, local, read) in [
            ("192.0.2.1:99", "10.0.0.1:80", origin("192.0.2.1:99", "10.0.0.1:80")),
            ("[::ffff:192.0.2.1]:99", "10.0.0.1:80", origin("192.0.2.1:99", "10.0.0.1:80")),
            ("[2001:db8::1]:99", "[2001:db8::2]:80", origin("[2001:db8::1]:99", "[2001:db8::2]:80")),
            ("192.0.2.1:99", "[2001:db8::2]:80", origin("[::ffff:192.0.2.1]:99", "[2001:db8::2]:80")),
        ] {
            for version in Version::ALL {
                let bytes = header(version, Some(origin(client, local)));
                let whole = Parsed::Whole { origin: Some(read), length: bytes.len() };
                assert_eq!(parse(&bytes), whole, "{client} {local} {version:?}");
            }
        }
    }

    #[test]
    fn a_connection_for_no_client_says_so() {
        for version in Version::ALL {
            let bytes = header(version, None);
            assert_eq!(parse(&bytes), Parsed::Whole { origin: None, length: bytes.len() });
        }
        assert_eq!(header(Version::V1, None), b"PROXY UNKNOWN\r\n");
    }
}
