//! What can be set, and what each limit is for.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use model::Published;
use tls::{AllCredentials, Certificates};

/// Settings of the data plane. Each limit has a reason; the defaults are meant for an edge behind a load balancer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that serve requests, each with its own connections and pools. One for each CPU the process may use.
    pub workers: usize,
    /// How long a connection may be silent between requests. Must be longer than the idle time of the load balancer
    /// in front (60 s for an ELB), else the load balancer sends requests into connections that we are closing.
    pub idle_timeout: Duration,
    /// The longest time until a request is answered, over all attempts, from the end of its body: an upload may take
    /// longer as long as it moves. A drain waits `idle_timeout` plus this long.
    pub max_request_time: Duration,
    /// Peers whose `X-Forwarded-*`, `Forwarded`, `X-Real-IP` and `X-Request-ID` are believed and extended.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits on what clients send and how slowly they may do so.
    pub downstream: Downstream,
    /// Limits on what upstreams send and how slowly they may do so.
    pub upstream: Upstream,
    /// Where the access log goes.
    pub access_log: AccessLog,
}

/// A listening socket, and what is spoken on it.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The socket. One that is shared closes when the workers are through with it, unless somebody else keeps it.
    pub socket: Arc<TcpListener>,
    /// What is spoken. Connections keep this, and not the socket, which must close before they do.
    pub protocol: Arc<Protocol>,
}

impl<S: Into<Arc<TcpListener>>> From<S> for Listener {
    fn from(socket: S) -> Listener {
        Listener { socket: socket.into(), protocol: Arc::default() }
    }
}

/// What is spoken before HTTP, and which HTTP; by default nothing, and HTTP/1.
#[derive(Clone, Debug, Default)]
pub struct Protocol {
    /// Peers that begin each connection with a PROXY header, version 1 or 2, which says who the client is. Of them it is
    /// demanded; of nobody else it is believed.
    pub proxy_header_from: Vec<IpNet>,
    /// TLS, or plain HTTP if none.
    pub tls: Option<Arc<Tls>>,
    /// Whether a client without TLS may begin with HTTP/2 (h2c by prior knowledge); with TLS, ALPN says.
    pub http2_cleartext: bool,
}

/// What a listener with TLS needs.
#[derive(Clone, Debug)]
pub struct Tls {
    /// How to shake hands.
    pub config: Arc<rustls::ServerConfig>,
    /// The certificates that `config` chooses from, to know which hosts share one.
    pub certificates: Published<Certificates>,
}

/// Limits towards clients.
#[derive(Clone, Debug)]
pub struct Downstream {
    /// Open client connections; at the limit no more are accepted until one closes. Half the file descriptors: each
    /// connection may need one upstream.
    pub connections_max: usize,
    /// The same for one client: an IPv4 address, or an IPv6 network of 64 bits. Whoever comes beyond is answered 503. As
    /// many as all together by default, since behind a proxy that is not told apart all clients look like one.
    pub connections_per_client_max: usize,
    /// Requests in flight, spread evenly over the workers; beyond: 503. As many as connections by default: each may need a
    /// connection to an endpoint, for which there is the other half of the file descriptors.
    pub requests_max: usize,
    /// Bytes of a request line (RFC 9112 §3 asks for at least 8000); beyond: 414.
    pub request_line_bytes_max: usize,
    /// Bytes of a request head; beyond: 431.
    pub head_bytes_max: usize,
    /// Bytes of a request body; beyond: 413. Bodies are streamed, so this costs no memory.
    pub body_bytes_max: u64,
    /// Whether fields whose names have an underscore are sent on. Not by default: to an upstream that reads fields as
    /// variables they are the same as others with a hyphen. Those that it could take for ours are dropped in any case.
    pub underscores: bool,
    /// From the first byte of a TLS handshake to its end; after it the connection is closed.
    pub handshake_timeout: Duration,
    /// Handshakes under way on one worker; beyond, the oldest is given up. A handshake that is honest takes some round
    /// trips, so this many are only seen when somebody opens them for the sake of it.
    pub handshakes_max: usize,
    /// From the first byte of a request to the end of its head; after it: 408.
    pub head_timeout: Duration,
    /// Silence in a request body, in all; after it: 408. What comes brings time back, see the next.
    pub body_timeout: Duration,
    /// Bytes of a body that bring back a second of [`body_timeout`](Self::body_timeout), so that who sends faster than this
    /// has for ever, and who drips has not; 0: any piece brings back all of it. Kestrel's figure; a modem is ten times faster.
    pub body_rate_min: u32,
    /// Between two pieces of a response that the client takes; after it the connection is cut.
    pub write_timeout: Duration,
    /// Silence that is waited for after our end of a connection is closed, so that the last response arrives; nginx'
    /// figure, as is the next.
    pub linger_timeout: Duration,
    /// The longest such wait in all.
    pub linger_time_max: Duration,
    /// Silence in a tunnel (WebSocket) after which it is ended; haproxy's figure.
    pub tunnel_idle_timeout: Duration,
    /// Silence on a connection after which the kernel asks whether the client's machine is still there (TCP keep-alive);
    /// without an answer the connection ends after about as long again. A call of gRPC may be silent for ever; what keeps
    /// it must not.
    pub keepalive_interval: Duration,
    /// Limits of HTTP/2.
    pub http2: Http2,
}

/// Limits on a connection that speaks HTTP/2.
#[derive(Clone, Debug)]
pub struct Http2 {
    /// Requests at a time; nginx' figure.
    pub streams_max: u32,
    /// Bytes of one request body that the client may send before we have passed them on.
    pub stream_window_bytes: u32,
    /// The same for all bodies of the connection together: what it may make us hold.
    pub window_bytes: usize,
    /// Bytes of fields, as they are when they are not compressed, that the requests in flight may have together; beyond: 503.
    /// Enough for 8 KiB each, cookies and all.
    pub heads_bytes_max: usize,
    /// Bytes of one response that wait for the client's window.
    pub send_buffer_bytes: usize,
    /// Frames that are no piece of a message (PING, SETTINGS, PRIORITY, WINDOW_UPDATE) which a client may send in one go;
    /// twenty more a second, and four more for each piece of a message. Beyond, the connection is cut. A request that is
    /// taken back counts like nine.
    pub empty_frames_max: u32,
}

impl Default for Http2 {
    fn default() -> Self {
        Http2 {
            streams_max: 128,
            stream_window_bytes: 256 << 10,
            window_bytes: 1 << 20,
            heads_bytes_max: 1 << 20,
            send_buffer_bytes: 64 << 10,
            empty_frames_max: 1000,
        }
    }
}

/// Limits towards upstreams.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Until a request can be sent on a new connection, its TLS handshake and HTTP/2's settings included; after it another endpoint is tried, then 504.
    pub connect_timeout: Duration,
    /// From the sent request to the response head; after it: 504. nginx' figure, as is the next.
    pub head_timeout: Duration,
    /// Between two pieces of a response body; after it both connections are cut.
    pub body_timeout: Duration,
    /// Bytes of a response head; beyond: 502.
    pub head_bytes_max: usize,
    /// Tries for one request, the first included: enough for a rollout in which most endpoints refuse, few enough that
    /// a request does not knock at a thousand doors. `request::attempts` tells which failures are tried again.
    pub attempts_max: u32,
    /// Idle connections kept for one endpoint by one worker.
    pub idle_per_endpoint_max: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Silence on a connection after which the kernel asks whether the endpoint's machine is still there (TCP keep-alive);
    /// without an answer the connection ends after about as long again. Short, since who only listens learns of it in no
    /// other way.
    pub keepalive_interval: Duration,
    /// Limits of HTTP/2.
    pub http2: UpstreamHttp2,
    /// What Secrets give for TLS handshakes with endpoints. What a backend asks for has to be here before the table that has
    /// the backend is published.
    pub credentials: Published<AllCredentials>,
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

/// Where the access log goes: one JSON object a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// To standard output.
    #[default]
    Stdout,
    /// To the end of this file.
    File(PathBuf),
}

impl Config {
    /// How long a drain may take: until the last silent client is gone, and then as long as its last request may take.
    pub fn drain_time(&self) -> Duration {
        self.idle_timeout + self.max_request_time
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            workers: 1,
            idle_timeout: Duration::from_secs(75),
            max_request_time: Duration::from_secs(300),
            trusted_proxies: Vec::new(),
            downstream: Downstream::default(),
            upstream: Upstream::default(),
            access_log: AccessLog::default(),
        }
    }
}

impl Default for Downstream {
    fn default() -> Self {
        Downstream {
            connections_max: 10_000,
            connections_per_client_max: 10_000,
            requests_max: 10_000,
            request_line_bytes_max: 16 << 10,
            head_bytes_max: 64 << 10,
            body_bytes_max: 1 << 30,
            underscores: false,
            handshake_timeout: Duration::from_secs(10),
            handshakes_max: 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            body_rate_min: 240,
            write_timeout: Duration::from_secs(30),
            linger_timeout: Duration::from_secs(5),
            linger_time_max: Duration::from_secs(30),
            tunnel_idle_timeout: Duration::from_secs(3600),
            keepalive_interval: Duration::from_secs(60),
            http2: Http2::default(),
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Upstream {
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            head_bytes_max: 64 << 10,
            attempts_max: 10,
            idle_per_endpoint_max: 1024,
            idle_timeout: Duration::from_secs(60),
            keepalive_interval: Duration::from_secs(30),
            http2: UpstreamHttp2::default(),
            credentials: Published::new(AllCredentials::default()),
        }
    }
}
