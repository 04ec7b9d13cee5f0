//! A PROXY header says what the specification says it says: a reader written from it takes the same ones, to the byte.
//! What follows a header changes nothing of it, every beginning of one asks for more, and no more mends a malformed one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proxy::fuzzing::{ProxyHeader, proxy_header};

/// How version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1.
const LINE_BYTES_MAX: usize = 107;
/// The longest block of version 2 that we wait for.
const BLOCK_BYTES_MAX: usize = 4 << 10;

/// Checks it.
pub fn check(data: &[u8]) {
    let read = proxy_header(data);
    let ours = match read {
        ProxyHeader::Whole { origin, length } => Some((origin, length)),
        _ => None,
    };
    let is_block = data.starts_with(SIGNATURE) || SIGNATURE.starts_with(data);
    let expected = if is_block { version_2(data) } else { version_1(data) };
    match expected {
        Expected::Whole(origin, length) => assert_eq!(ours, Some((origin, length))),
        Expected::Never => assert_eq!(read, ProxyHeader::Malformed),
        Expected::NotYet => assert_eq!(ours, None),
    }
    match read {
        ProxyHeader::Whole { length, .. } => {
            assert_eq!(proxy_header(&data[..length]), read, "what follows changes it");
            for beginning in 0..length {
                assert_eq!(proxy_header(&data[..beginning]), ProxyHeader::More, "{beginning} bytes");
            }
        }
        ProxyHeader::Malformed => {
            for more in [&b"\r\n"[..], b" ", &[0; 300]] {
                assert_eq!(proxy_header(&[data, more].concat()), ProxyHeader::Malformed, "more mends it");
            }
        }
        ProxyHeader::More => {}
    }
}

enum Expected {
    Whole(Option<(SocketAddr, SocketAddr)>, usize),
    Never,
    NotYet,
}

fn version_1(data: &[u8]) -> Expected {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return if data.len() > LINE_BYTES_MAX { Expected::Never } else { Expected::NotYet };
    };
    let line = data[..=end].strip_suffix(b"\r\n").filter(|line| line.len() + 2 <= LINE_BYTES_MAX);
    match line.and_then(addresses) {
        Some(origin) => Expected::Whole(origin, end + 1),
        None => Expected::Never,
    }
}

/// The outer `None` for no header, the inner one for no client.
#[expect(clippy::option_option, reason = "no header is not the same as one that names no client")]
fn addresses(line: &[u8]) -> Option<Option<(SocketAddr, SocketAddr)>> {
    let rest = line.strip_prefix(b"PROXY ")?;
    if rest.contains(&b'\r') {
        return None;
    }
    if rest == b"UNKNOWN" || rest.starts_with(b"UNKNOWN ") {
        return Some(None);
    }
    let words: Vec<&str> = str::from_utf8(rest).ok()?.split(' ').collect();
    let &[family, source, destination, source_port, destination_port] = &words[..] else { return None };
    let ip = |text: &str| match family {
        "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    };
    let client = SocketAddr::new(ip(source)?, port(source_port)?);
    Some(Some((client, SocketAddr::new(ip(destination)?, port(destination_port)?))))
}

/// Digits alone, and no zero before another.
fn port(text: &str) -> Option<u16> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| plain)
}

fn version_2(data: &[u8]) -> Expected {
    let Some(&[command, family, high, low]) = data.get(12..16) else { return Expected::NotYet };
    let end = 16 + usize::from(u16::from_be_bytes([high, low]));
    let Some(said) = data.get(16..end) else { return Expected::NotYet };
    if end > BLOCK_BYTES_MAX {
        return Expected::Never;
    }
    let (bytes, is_unix) = match family {
        0x11 | 0x12 => (4, false),
        0x21 | 0x22 => (16, false),
        0x31 | 0x32 => (108, true),
        _ => (0, true),
    };
    match (command, family) {
        // Of a peer that speaks for itself, whatever else it says counts for nothing.
        (0x20, _) => Expected::Whole(None, end),
        (0x21, 0x00) => Expected::Whole(None, end),
        (0x21, 0x31 | 0x32) if said.len() >= 2 * bytes => Expected::Whole(None, end),
        (0x21, _) if !is_unix && said.len() >= 2 * bytes + 4 => {
            let at = |place: usize, port: usize| {
                let port = 2 * bytes + 2 * port;
                let port = u16::from_be_bytes([said[port], said[port + 1]]);
                SocketAddr::new(ip(&said[place * bytes..(place + 1) * bytes]), port)
            };
            Expected::Whole(Some((at(0, 0), at(1, 1))), end)
        }
        _ => Expected::Never,
    }
}

fn ip(bytes: &[u8]) -> IpAddr {
    match *bytes {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes).expect("an address has 4 or 16 bytes")),
    }
}
