//! How endpoints are spoken to, beneath the requests: which protocol, in TLS or not, and what goes before it.

use std::fmt;
use std::sync::Arc;

use crate::Protocol;

/// What an Ingress says of the connections to its backends. It is part of a backend's key: connections that were opened
/// in one way are never used by routes that ask for another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transport {
    /// What is spoken; if nothing, the Service says it.
    pub protocol: Option<Protocol>,
    /// How TLS goes, where it is spoken.
    pub tls: UpstreamTls,
    /// The PROXY header that each connection begins with.
    pub proxy_header: Option<ProxyHeader>,
    /// Whether the Service's own address is connected to, behind which are all of its endpoints.
    pub by_service: bool,
}

/// How a TLS handshake with an endpoint goes. By default any certificate will do, and no name is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamTls {
    /// The Secret, in the backend's namespace, with the authorities that vouch for endpoints (`ca.crt`) and the certificate
    /// that they are shown (`tls.crt` and `tls.key`).
    pub secret: Option<Arc<str>>,
    /// Whether the endpoint must have a certificate for the name, from one of the authorities.
    pub verify: bool,
    /// The name that is verified, and sent if `send_name` says so.
    pub name: Option<Arc<str>>,
    /// Whether the endpoint is told the name (SNI, RFC 6066 §3).
    pub send_name: bool,
}

/// The version of a PROXY header (haproxy's proxy-protocol.txt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyHeader {
    /// Text.
    V1,
    /// Binary.
    V2,
}

impl ProxyHeader {
    /// All of them.
    pub const ALL: [ProxyHeader; 2] = [ProxyHeader::V1, ProxyHeader::V2];

    /// The word used in annotations, JSON and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            ProxyHeader::V1 => "v1",
            ProxyHeader::V2 => "v2",
        }
    }
}

impl fmt::Display for Transport {
    /// What differs from the default, in words; nothing if nothing does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UpstreamTls { secret, verify, name, send_name } = &self.tls;
        let mut words = Vec::new();
        words.extend(self.protocol.map(|protocol| protocol.as_str().to_owned()));
        words.extend(name.as_ref().filter(|_| *verify).map(|name| format!("verified as {name}")));
        words.extend(name.as_ref().filter(|_| *send_name && !verify).map(|name| format!("named {name}")));
        words.extend(secret.as_ref().map(|secret| format!("with Secret {secret}")));
        words.extend(self.by_service.then(|| "by the Service's address".to_owned()));
        words.extend(self.proxy_header.map(|header| format!("PROXY {}", header.as_str())));
        f.write_str(&words.join(", "))
    }
}
