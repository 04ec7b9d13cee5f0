//! One flag for each limit of the data plane. The defaults are `proxy`'s own.

use std::num::NonZeroUsize;

use clap::Args;
use proxy::{Downstream, Upstream, UpstreamHttp2};

use super::protocols::{at_least_one, in_window, window};
use crate::units::{Size, Span};

/// Most fields in a head: `http::HeaderMap` has no room for three times as many.
const FIELDS_MAX: usize = 10_000;

fn fields(raw: &str) -> Result<usize, String> {
    match raw.parse() {
        Ok(number @ 1..=FIELDS_MAX) => Ok(number),
        _ => Err(format!("write a number from 1 to {FIELDS_MAX}")),
    }
}

/// Limits towards clients.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits towards clients")]
pub(crate) struct DownstreamArgs {
    /// Open client connections; at the limit none is accepted until one closes. By default half the file descriptors,
    /// since each connection may need another one to an endpoint
    #[arg(long, value_name = "N", env = "SLUICEGATE_CONNECTIONS_MAX")]
    connections_max: Option<NonZeroUsize>,

    /// Open connections of one client (an IPv4 address or an IPv6 /64); a client with more is answered 503. By default
    /// as many as --connections-max, since behind a load balancer that hides its clients all of them look like one
    #[arg(long, value_name = "N", env = "SLUICEGATE_CONNECTIONS_PER_CLIENT_MAX")]
    connections_per_client_max: Option<NonZeroUsize>,

    /// Requests in flight, divided among the workers; more are answered 503. By default as many as connections, since
    /// each may need a connection to an endpoint
    #[arg(long, value_name = "N", env = "SLUICEGATE_REQUESTS_MAX")]
    requests_max: Option<NonZeroUsize>,

    /// Memory that this process may use. With 80% of it in use new connections and requests are answered 503, until less
    /// than 70% is. By default the container's limit, if it has one. A program that was built without the feature
    /// `jemalloc` keeps more of what it has freed, and may refuse requests for longer
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_MEMORY_MAX")]
    pub(crate) memory_max: Option<Size>,

    /// Longest request line; a longer one is answered 414, so that no client fills the memory with one
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_REQUEST_LINE_BYTES_MAX", default_value_t = Downstream::default().request_line_bytes_max.into())]
    request_line_bytes_max: Size,

    /// Longest request head; a longer one is answered 431, for the same reason
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_HEAD_BYTES_MAX", default_value_t = Downstream::default().head_bytes_max.into())]
    head_bytes_max: Size,

    /// Fields in a request head; more are answered 431. Over HTTP/2 each cookie may be a field of its own
    #[arg(long, value_name = "N", env = "SLUICEGATE_HEAD_FIELDS_MAX", default_value_t = Downstream::default().head_fields_max, value_parser = fields)]
    head_fields_max: usize,

    /// Longest request body; a longer one is answered 413. Bodies are streamed: this protects the upstream, not us
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_BODY_BYTES_MAX", default_value_t = Size(Downstream::default().body_bytes_max))]
    body_bytes_max: Size,

    /// Forward header fields with an underscore in the name, which are dropped by default, as nginx does. One that an
    /// upstream could take for a field of ours, such as X_Forwarded_For, is dropped in any case
    #[arg(long, env = "SLUICEGATE_UNDERSCORES_IN_HEADERS")]
    underscores_in_headers: bool,

    /// Time from the first byte of a request to the end of its head, then 408: slow senders must not hold connections
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_HEAD_TIMEOUT", default_value_t = Span(Downstream::default().head_timeout))]
    head_timeout: Span,

    /// Longest silence in a request body, then 408; --body-rate-min says how much of it received bytes win back
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_BODY_TIMEOUT", default_value_t = Span(Downstream::default().body_timeout))]
    body_timeout: Span,

    /// Bytes per second below which a request body uses up --body-timeout, so that a slow sender cannot hold an endpoint
    /// for ever. 0: any received byte starts --body-timeout anew
    #[arg(long, value_name = "N", env = "SLUICEGATE_BODY_RATE_MIN", default_value_t = Downstream::default().body_rate_min)]
    body_rate_min: u32,

    /// Longest time in which a client reads nothing of its response, then the connection is cut: a client that does not
    /// read must not hold an endpoint
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_WRITE_TIMEOUT", default_value_t = Span(Downstream::default().write_timeout))]
    write_timeout: Span,

    /// How long a client that has closed its sending side after a request may wait for the first or next piece of the
    /// response, then it counts as gone: whether it still waits cannot be told before it is sent something
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_HALF_CLOSE_TIME", default_value_t = Span(Downstream::default().half_close_time))]
    half_close_time: Span,

    /// After the last response, how long a client must be silent before we close: sooner could destroy that response
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_LINGER_TIMEOUT", default_value_t = Span(Downstream::default().linger_timeout))]
    linger_timeout: Span,

    /// The longest such wait in total
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_LINGER_TIME_MAX", default_value_t = Span(Downstream::default().linger_time_max))]
    linger_time_max: Span,

    /// Longest silence in a tunnel (WebSocket), then it is closed as if its client were gone
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_TUNNEL_IDLE_TIMEOUT", default_value_t = Span(Downstream::default().tunnel_idle_timeout))]
    tunnel_idle_timeout: Span,

    /// Silence on a client's connection after which the kernel probes whether its machine still exists (TCP keep-alive).
    /// Without an answer the connection ends after about as long again
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_KEEPALIVE_INTERVAL", default_value_t = Span(Downstream::default().keepalive_interval))]
    keepalive_interval: Span,
}

impl DownstreamArgs {
    /// The checked limits; `connections_max` holds where none was typed.
    pub(crate) fn limits(&self, connections_max: usize) -> Downstream {
        let connections_max = self.connections_max.map_or(connections_max, NonZeroUsize::get);
        let or_all = |limit: Option<NonZeroUsize>| limit.map_or(connections_max, NonZeroUsize::get);
        Downstream {
            connections_max,
            connections_per_client_max: or_all(self.connections_per_client_max),
            requests_max: or_all(self.requests_max),
            request_line_bytes_max: self.request_line_bytes_max.in_memory(),
            head_bytes_max: self.head_bytes_max.in_memory(),
            head_fields_max: self.head_fields_max,
            body_bytes_max: self.body_bytes_max.0,
            underscores: self.underscores_in_headers,
            head_timeout: self.head_timeout.0,
            body_timeout: self.body_timeout.0,
            body_rate_min: self.body_rate_min,
            write_timeout: self.write_timeout.0,
            half_close_time: self.half_close_time.0,
            linger_timeout: self.linger_timeout.0,
            linger_time_max: self.linger_time_max.0,
            tunnel_idle_timeout: self.tunnel_idle_timeout.0,
            keepalive_interval: self.keepalive_interval.0,
            ..Downstream::default()
        }
    }
}

/// Limits towards upstreams.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits towards upstreams")]
pub(crate) struct UpstreamArgs {
    /// Time until a request can be sent to an endpoint, TLS included; then another endpoint is tried, finally 504
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_CONNECT_TIMEOUT", default_value_t = Span(Upstream::default().connect_timeout))]
    upstream_connect_timeout: Span,

    /// Time from the sent request to the head of its response, then 504
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_HEAD_TIMEOUT", default_value_t = Span(Upstream::default().head_timeout))]
    upstream_head_timeout: Span,

    /// Longest silence in a response body, then both connections are cut: the client must see that it is incomplete
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_BODY_TIMEOUT", default_value_t = Span(Upstream::default().body_timeout))]
    upstream_body_timeout: Span,

    /// Longest response head; with a longer one the client is answered 502
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_UPSTREAM_HEAD_BYTES_MAX", default_value_t = Upstream::default().head_bytes_max.into())]
    upstream_head_bytes_max: Size,

    /// Fields in a response head; with more the client is answered 502
    #[arg(long, value_name = "N", env = "SLUICEGATE_UPSTREAM_HEAD_FIELDS_MAX", default_value_t = Upstream::default().head_fields_max, value_parser = fields)]
    upstream_head_fields_max: usize,

    /// Attempts for one request, the first included. A request that no endpoint can have seen is tried again at another
    /// one; one that may have been seen only if its method is idempotent and its body, if any, is short
    #[arg(long, value_name = "N", env = "SLUICEGATE_ATTEMPTS_MAX", default_value_t = Upstream::default().attempts_max,
        value_parser = clap::value_parser!(u32).range(1..))]
    attempts_max: u32,

    /// Endpoints that one request is sent to while their new connections break before the first byte of a response, then
    /// 502. Only a request that may be sent twice is: its method is idempotent and its body, if any, is short
    #[arg(long, value_name = "N", env = "SLUICEGATE_DEATHS_MAX", default_value_t = Upstream::default().deaths_max,
        value_parser = clap::value_parser!(u32).range(1..))]
    deaths_max: u32,

    /// Idle connections that each worker keeps to one endpoint: enough for a burst, but not all file descriptors
    #[arg(long, value_name = "N", env = "SLUICEGATE_UPSTREAM_IDLE_MAX", default_value_t = Upstream::default().idle_per_endpoint_max)]
    upstream_idle_max: usize,

    /// How long an idle connection to an endpoint is kept. Keep it below the upstream's own idle timeout
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_IDLE_TIMEOUT", default_value_t = Span(Upstream::default().idle_timeout))]
    upstream_idle_timeout: Span,

    /// Silence on a connection to an endpoint after which the kernel probes whether its machine still exists (TCP
    /// keep-alive). Without an answer the connection ends after about as long again
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_KEEPALIVE_INTERVAL", default_value_t = Span(Upstream::default().keepalive_interval))]
    upstream_keepalive_interval: Span,

    #[command(flatten)]
    http2: UpstreamHttp2Args,
}

/// Limits towards upstreams that speak HTTP/2.
#[derive(Debug, Args)]
struct UpstreamHttp2Args {
    /// HTTP/2 connections that each worker opens to one endpoint. With all of them full, requests wait as long as for a
    /// connection, then another endpoint is tried, finally 503: an endpoint that takes few requests on each connection
    /// must not use up the file descriptors
    #[arg(long, value_name = "N", env = "SLUICEGATE_UPSTREAM_HTTP2_CONNECTIONS_MAX", default_value_t = at_least_one(UpstreamHttp2::default().connections_max))]
    upstream_http2_connections_max: NonZeroUsize,

    /// Concurrent requests on one such connection, or fewer if the endpoint says so; for more another is opened
    #[arg(long, value_name = "N", env = "SLUICEGATE_UPSTREAM_HTTP2_STREAMS_MAX", default_value_t = at_least_one(UpstreamHttp2::default().streams_max))]
    upstream_http2_streams_max: NonZeroUsize,

    /// Bytes of one response that an HTTP/2 endpoint may send ahead of what the client reads
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_UPSTREAM_HTTP2_STREAM_WINDOW", default_value_t = Size(UpstreamHttp2::default().stream_window_bytes.into()), value_parser = window)]
    upstream_http2_stream_window: Size,

    /// Bytes of one request body that are buffered until an HTTP/2 endpoint takes them
    #[arg(long, value_name = "SIZE", env = "SLUICEGATE_UPSTREAM_HTTP2_SEND_BUFFER", default_value_t = UpstreamHttp2::default().send_buffer_bytes.into(), value_parser = window)]
    upstream_http2_send_buffer: Size,

    /// Silence on an HTTP/2 connection with requests in flight after which its endpoint is sent a PING. Keep it above 5m
    /// for gRPC: its servers take more frequent PINGs as abuse, and close
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_HTTP2_PING_INTERVAL", default_value_t = Span(UpstreamHttp2::default().ping_interval))]
    upstream_http2_ping_interval: Span,

    /// Time for an endpoint to answer a PING, and for its machine to acknowledge what was sent; then the connection is
    /// closed, and its requests fail
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_UPSTREAM_HTTP2_PING_TIMEOUT", default_value_t = Span(UpstreamHttp2::default().ping_timeout))]
    upstream_http2_ping_timeout: Span,
}

impl UpstreamArgs {
    /// The checked limits.
    pub(crate) fn limits(&self) -> Upstream {
        Upstream {
            connect_timeout: self.upstream_connect_timeout.0,
            head_timeout: self.upstream_head_timeout.0,
            body_timeout: self.upstream_body_timeout.0,
            head_bytes_max: self.upstream_head_bytes_max.in_memory(),
            head_fields_max: self.upstream_head_fields_max,
            attempts_max: self.attempts_max,
            deaths_max: self.deaths_max,
            idle_per_endpoint_max: self.upstream_idle_max,
            idle_timeout: self.upstream_idle_timeout.0,
            keepalive_interval: self.upstream_keepalive_interval.0,
            http2: self.http2.limits(),
            ..Upstream::default()
        }
    }
}

impl UpstreamHttp2Args {
    fn limits(&self) -> UpstreamHttp2 {
        UpstreamHttp2 {
            connections_max: self.upstream_http2_connections_max.get(),
            streams_max: self.upstream_http2_streams_max.get(),
            stream_window_bytes: in_window(self.upstream_http2_stream_window),
            send_buffer_bytes: self.upstream_http2_send_buffer.in_memory(),
            ping_interval: self.upstream_http2_ping_interval.0,
            ping_timeout: self.upstream_http2_ping_timeout.0,
        }
    }
}
