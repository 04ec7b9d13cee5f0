//! What is spoken with endpoints.

/// HTTP/1.1 or HTTP/2, with TLS around it or without, or whatever a client says. The words are those that Ingresses use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// HTTP/1.1 in TLS.
    Https,
    /// HTTP/2 from the first byte (RFC 9113 §3.3), as gRPC is spoken within a cluster.
    Grpc,
    /// HTTP/2 in TLS.
    Grpcs,
    /// Bytes that are passed on as they are: those of a [`TcpService`](crate::TcpService), never of a route.
    Tcp,
}

impl Protocol {
    /// All that a route may ask for.
    pub const ALL: [Protocol; 4] = [Protocol::Http, Protocol::Https, Protocol::Grpc, Protocol::Grpcs];

    /// The word used in annotations, JSON and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Https => "https",
            Protocol::Grpc => "grpc",
            Protocol::Grpcs => "grpcs",
            Protocol::Tcp => "tcp",
        }
    }

    /// Whether it is HTTP/2, so that many requests share a connection.
    pub fn is_http2(self) -> bool {
        matches!(self, Protocol::Grpc | Protocol::Grpcs)
    }

    /// Whether there is TLS around it.
    pub fn is_tls(self) -> bool {
        matches!(self, Protocol::Https | Protocol::Grpcs)
    }
}
