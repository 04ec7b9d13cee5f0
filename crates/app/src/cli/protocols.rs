//! What is spoken before HTTP/1, and its limits. The defaults are `proxy`'s own.

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
    /// Peers that begin each connection with a PROXY header (version 1 or 2), which says who the client is: the load
    /// balancer's addresses. Of these it is demanded, of nobody else it is believed
    #[arg(long, value_name = "CIDR", env = "SLUICEGATE_PROXY_PROTOCOL", value_delimiter = ',', value_parser = network)]
    proxy_protocol: Vec<IpNet>,

    /// Speak HTTP/2 on --http too, with clients that know that they may (h2c by prior knowledge). With TLS they agree on it
    #[arg(long, env = "SLUICEGATE_HTTP2_CLEARTEXT")]
    http2_cleartext: bool,

    /// From the first byte of a TLS handshake, or of a PROXY header, to its end
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_HANDSHAKE_TIMEOUT", default_value_t = Span(Downstream::default().handshake_timeout))]
    handshake_timeout: Span,

    /// TLS handshakes under way on one worker; beyond, the oldest is given up: an honest one is done by then
    #[arg(long, value_name = "N", env = "SLUICEGATE_HANDSHAKES_MAX", default_value_t = at_least_one(Downstream::default().handshakes_max))]
    handshakes_max: NonZeroUsize,

    /// Requests that one connection of HTTP/2 may have in flight
    #[arg(long, value_name = "N", env = "SLUICEGATE_HTTP2_STREAMS_MAX", default_value_t = NonZeroU32::new(Http2::default().streams_max).unwrap_or(NonZeroU32::MIN))]
    http2_streams_max: NonZeroU32,

    /// Bytes of request bodies that one connection of HTTP/2 may send ahead of what upstreams have taken
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HTTP2_WINDOW", default_value_t = Http2::default().window_bytes.into())]
    http2_window: Size,
}

impl ProtocolArgs {
    pub(crate) fn protocols(&self) -> Protocols {
        Protocols { proxy_header_from: self.proxy_protocol.clone(), http2_cleartext: self.http2_cleartext }
    }

    /// The same limits, with those that are said here.
    pub(crate) fn limits(&self, downstream: Downstream) -> Downstream {
        let http2 = Http2 {
            streams_max: self.http2_streams_max.get(),
            window_bytes: self.http2_window.in_memory(),
            ..downstream.http2
        };
        Downstream {
            handshake_timeout: self.handshake_timeout.0,
            handshakes_max: self.handshakes_max.get(),
            http2,
            ..downstream
        }
    }
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}
