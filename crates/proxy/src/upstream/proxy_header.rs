//! The PROXY header that some endpoints ask for: whom each connection to them is opened for.
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::net::{IpAddr, SocketAddr};

use model::ProxyHeader as Version;
use proxy_header::{ProxiedAddress, ProxyHeader};

use crate::connection::Origin;

/// The header that says so, in this version. Without an origin it says that it is about nobody.
pub(super) fn header(version: Version, origin: Option<Origin>) -> Vec<u8> {
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
    use crate::connection::proxy_header::{Parsed, parse};

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
    fn a_connection_for_nobody_says_so() {
        for version in Version::ALL {
            let bytes = header(version, None);
            assert_eq!(parse(&bytes), Parsed::Whole { origin: None, length: bytes.len() });
        }
        assert_eq!(header(Version::V1, None), b"PROXY UNKNOWN\r\n");
    }
}
