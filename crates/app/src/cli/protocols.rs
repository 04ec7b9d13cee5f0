//! The protocols for clients beside plain HTTP/1, and their limits. The defaults are `proxy`'s own.

use std::num::{NonZeroU32, NonZeroUsize};

use clap::Args;
use ipnet::IpNet;
use proxy::{Downstream, Http2};

use super::network;
use crate::config::Protocols;
use crate::units::{Size, Span};

/// PROXY protocol, TLS and HTTP/2.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS, HTTP/2 and the PROXY protocol")]
pub(crate) struct ProtocolArgs {
    /// Peers that begin each connection with a PROXY header (version 1 or 2), which names the client's address: the load
    /// balancer's addresses. From these peers it is required, from all others it is not accepted
    #[arg(long, value_name = "CIDR", env = "SLUICEGATE_PROXY_PROTOCOL", value_delimiter = ',', value_parser = network)]
    proxy_protocol: Vec<IpNet>,

    /// Speak HTTP/2 on --http too, with clients that begin with it (h2c by prior knowledge). With TLS it is negotiated
    #[arg(long, env = "SLUICEGATE_HTTP2_CLEARTEXT")]
    http2_cleartext: bool,

    /// Time from the first byte of a TLS handshake, or of a PROXY header, to its end; then the connection is closed
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_HANDSHAKE_TIMEOUT", default_value_t = Span(Downstream::default().handshake_timeout))]
    handshake_timeout: Span,

    /// TLS handshakes in progress on one worker; with more the oldest is dropped: an honest one is done by then
    #[arg(long, value_name = "N", env = "SLUICEGATE_HANDSHAKES_MAX", default_value_t = at_least_one(Downstream::default().handshakes_max))]
    handshakes_max: NonZeroUsize,

    /// Concurrent requests on one HTTP/2 connection. Clients are told; they wait, or open another connection
    #[arg(long, value_name = "N", env = "SLUICEGATE_HTTP2_STREAMS_MAX", default_value_t = NonZeroU32::new(Http2::default().streams_max).unwrap_or(NonZeroU32::MIN))]
    http2_streams_max: NonZeroU32,

    /// Bytes of request bodies that one HTTP/2 connection may send ahead of what upstreams have taken
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HTTP2_WINDOW", default_value_t = Http2::default().window_bytes.into(), value_parser = window)]
    http2_window: Size,

    /// The same for one body, so that a slow upload leaves room for others
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HTTP2_STREAM_WINDOW", default_value_t = Size(Http2::default().stream_window_bytes.into()), value_parser = window)]
    http2_stream_window: Size,

    /// Uncompressed bytes of the header fields of all requests in flight on one HTTP/2 connection; more are answered 503.
    /// A repeated field costs the client one byte, and us its full size
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HTTP2_HEADS_BYTES_MAX", default_value_t = Http2::default().heads_bytes_max.into())]
    http2_heads_bytes_max: Size,

    /// Bytes of one response that are buffered until the HTTP/2 client takes them. Each request in flight may hold as
    /// many: enough to keep the client busy, and no more
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HTTP2_SEND_BUFFER", default_value_t = Http2::default().send_buffer_bytes.into(), value_parser = window)]
    http2_send_buffer: Size,

    /// HTTP/2 frames outside of messages, such as PING, that a client may send in a burst, plus twenty per second and four
    /// with each frame of a message. A cancelled request counts as nine. With more the connection is cut
    #[arg(long, value_name = "N", env = "SLUICEGATE_HTTP2_EMPTY_FRAMES_MAX", default_value_t = NonZeroU32::new(Http2::default().empty_frames_max).unwrap_or(NonZeroU32::MIN))]
    http2_empty_frames_max: NonZeroU32,

    /// How long to wait for a moment without requests in flight before an HTTP/2 client is told to leave (GOAWAY). After
    /// that it is told in the midst of them, which costs many clients a request
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_HTTP2_GOODBYE_WAIT", default_value_t = Span(Http2::default().goodbye_wait))]
    http2_goodbye_wait: Span,
}

impl ProtocolArgs {
    pub(crate) fn protocols(&self) -> Protocols {
        Protocols { proxy_header_from: self.proxy_protocol.clone(), http2_cleartext: self.http2_cleartext }
    }

    /// The same limits, with those that are said here.
    pub(crate) fn limits(&self, downstream: Downstream) -> Downstream {
        let http2 = Http2 {
            streams_max: self.http2_streams_max.get(),
            stream_window_bytes: in_window(self.http2_stream_window),
            window_bytes: self.http2_window.in_memory(),
            heads_bytes_max: self.http2_heads_bytes_max.in_memory(),
            send_buffer_bytes: self.http2_send_buffer.in_memory(),
            empty_frames_max: self.http2_empty_frames_max.get(),
            goodbye_wait: self.http2_goodbye_wait.0,
            ..Http2::default()
        };
        Downstream {
            handshake_timeout: self.handshake_timeout.0,
            handshakes_max: self.handshakes_max.get(),
            http2,
            ..downstream
        }
    }
}

/// The largest flow-control window of HTTP/2 (RFC 9113 §6.9.1). A larger buffer would be of no use.
const WINDOW_BYTES_MAX: u32 = u32::MAX >> 1;

pub(super) fn window(raw: &str) -> Result<Size, String> {
    let size: Size = raw.parse()?;
    if size.0 > WINDOW_BYTES_MAX.into() {
        return Err("write at most 2047MiB; HTTP/2 has no larger window".into());
    }
    Ok(size)
}

/// As a length on the wire.
pub(super) fn in_window(size: Size) -> u32 {
    u32::try_from(size.0).unwrap_or(WINDOW_BYTES_MAX)
}

pub(super) fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}
