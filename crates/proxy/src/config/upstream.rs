//! Limits towards upstreams.

use std::time::Duration;

use model::Published;
use tls::AllCredentials;

/// Limits towards upstreams. A route's own times and attempts ([`model::Timeouts`], [`model::Retry`]) win over those here.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Until a request can be sent on a new connection, its TLS handshake and HTTP/2's settings included; after it
    /// another endpoint is tried, then 504.
    pub connect_timeout: Duration,
    /// From the sent request to the response head; after it: 504. nginx' figure, as is the next.
    pub head_timeout: Duration,
    /// Between two pieces of a response body; after it both connections are cut.
    pub body_timeout: Duration,
    /// Bytes of a response head; beyond: 502.
    pub head_bytes_max: usize,
    /// Fields of a response head; beyond: 502. haproxy takes 101, nginx what has room in the 4 KiB of its `proxy_buffer_size`.
    pub head_fields_max: usize,
    /// Tries for one request, the first included: enough for a rollout in which most endpoints refuse, few enough that
    /// a request does not knock at a thousand doors. `request::attempts` tells which failures are tried again.
    pub attempts_max: u32,
    /// Endpoints whose fresh connections may die of one request before the first byte of an answer; then 502. One that may be
    /// what kills them must not go through all. ingress-nginx' figure.
    pub deaths_max: u32,
    /// Idle connections kept for one endpoint by one worker.
    pub idle_per_endpoint_max: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Silence on a connection after which the kernel asks whether the endpoint's machine is still there (TCP keep-alive);
    /// without an answer the connection ends after about as long again. Short, since a client that only listens learns of it in no
    /// other way.
    pub keepalive_interval: Duration,
    /// Limits of HTTP/2.
    pub http2: UpstreamHttp2,
    /// What Secrets give for TLS handshakes with endpoints. What a backend asks for has to be here before the table that has
    /// the backend is published.
    pub credentials: Published<AllCredentials>,
}

impl Default for Upstream {
    fn default() -> Self {
        Upstream {
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            head_bytes_max: 64 << 10,
            head_fields_max: 256,
            attempts_max: 10,
            deaths_max: 3,
            idle_per_endpoint_max: 1024,
            idle_timeout: Duration::from_secs(60),
            keepalive_interval: Duration::from_secs(30),
            http2: UpstreamHttp2::default(),
            credentials: Published::new(AllCredentials::default()),
        }
    }
}

/// Limits on a connection to an endpoint that speaks HTTP/2.
#[derive(Clone, Debug)]
pub struct UpstreamHttp2 {
    /// Connections of one worker to one endpoint; at the limit requests wait for a place as long as for a connection, then
    /// 503. With the usual hundred requests on each, all that may be in flight have a place; an endpoint that takes
    /// only one at a time must not use up the file descriptors.
    pub connections_max: usize,
    /// Requests on one connection at a time, or fewer if the endpoint says so; for more another one is opened.
    pub streams_max: usize,
    /// Bytes of one response that the endpoint may send before we have passed them on. All streams of a connection together
    /// may have as many each, so that a client which does not read holds up no other.
    pub stream_window_bytes: u32,
    /// Bytes of one request body that wait for the endpoint's window.
    pub send_buffer_bytes: usize,
    /// Silence on a connection with requests after which the endpoint is asked for a sign of life: the kernel tells only of
    /// its machine. Servers of gRPC take more than one such question in 5 minutes as abuse, and close.
    pub ping_interval: Duration,
    /// How long it may take to give it, and its machine to confirm what was sent; after it the connection is given up.
    /// gRPC's figure.
    pub ping_timeout: Duration,
}

impl Default for UpstreamHttp2 {
    fn default() -> Self {
        UpstreamHttp2 {
            connections_max: 128,
            streams_max: 100,
            stream_window_bytes: 128 << 10,
            send_buffer_bytes: 64 << 10,
            ping_interval: Duration::from_secs(310),
            ping_timeout: Duration::from_secs(20),
        }
    }
}
