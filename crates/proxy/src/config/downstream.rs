//! Limits towards clients.

use std::time::Duration;

/// Limits towards clients.
#[derive(Clone, Debug)]
pub struct Downstream {
    /// Open client connections; at the limit no more are accepted until one closes. Half the file descriptors: each
    /// connection may need one upstream.
    pub connections_max: usize,
    /// The same for one client: an IPv4 address, or an IPv6 network of 64 bits. One more is answered 503. As
    /// many as all together by default, since behind a proxy that is not told apart all clients look like one.
    pub connections_per_client_max: usize,
    /// Requests in flight, spread evenly over the workers; beyond: 503. As many as connections by default: each may need a
    /// connection to an endpoint, for which there is the other half of the file descriptors.
    pub requests_max: usize,
    /// Bytes of a request line (RFC 9112 §3 asks for at least 8000); beyond: 414.
    pub request_line_bytes_max: usize,
    /// Bytes of a request head; beyond: 431.
    pub head_bytes_max: usize,
    /// Fields of a request head, and of its trailers; beyond: 431, and 400. A browser with as many cookies as it keeps for one
    /// host sends two hundred over HTTP/2, each a field of its own; haproxy takes 101, nginx what has room in 32 KiB. Not more
    /// than is needed: hyper makes room for so many with each head.
    pub head_fields_max: usize,
    /// Bytes of a request body; beyond: 413. Bodies are streamed, so this costs no memory.
    pub body_bytes_max: u64,
    /// Whether fields whose names have an underscore are sent on. Not by default: to an upstream that reads fields as
    /// variables they are the same as others with a hyphen. Those that it could take for ours are dropped in any case.
    pub underscores: bool,
    /// From the first byte of a TLS handshake, or of a PROXY header, to its end; after it the connection is closed.
    pub handshake_timeout: Duration,
    /// Handshakes under way on one worker; beyond, the oldest is given up. A handshake that is honest takes some round
    /// trips, so this many are only seen when they are opened for the sake of it.
    pub handshakes_max: usize,
    /// From the first byte of a request to the end of its head; after it: 408.
    pub head_timeout: Duration,
    /// Silence in a request body, in all; after it: 408. What comes brings time back, see the next.
    pub body_timeout: Duration,
    /// Bytes of a body that bring back a second of [`body_timeout`](Self::body_timeout), so that a client that sends faster
    /// than this has for ever, and one that drips has not; 0: any piece brings back all of it. Kestrel's figure; a modem is ten
    /// times faster.
    pub body_rate_min: u32,
    /// Between two pieces of a response that the client takes; after it the connection is cut.
    pub write_timeout: Duration,
    /// How long nothing may be said to a client that has closed its side after its request, then it counts as gone. It may
    /// wait for its answer or have left: the one wants this long, the other costs its endpoint as much work for nothing.
    pub half_close_time: Duration,
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

impl Default for Downstream {
    fn default() -> Self {
        Downstream {
            connections_max: 10_000,
            connections_per_client_max: 10_000,
            requests_max: 10_000,
            request_line_bytes_max: 16 << 10,
            head_bytes_max: 64 << 10,
            head_fields_max: 256,
            body_bytes_max: 1 << 30,
            underscores: false,
            handshake_timeout: Duration::from_secs(10),
            handshakes_max: 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            body_rate_min: 240,
            write_timeout: Duration::from_secs(30),
            half_close_time: Duration::from_secs(10),
            linger_timeout: Duration::from_secs(5),
            linger_time_max: Duration::from_secs(30),
            tunnel_idle_timeout: Duration::from_secs(3600),
            keepalive_interval: Duration::from_secs(60),
            http2: Http2::default(),
        }
    }
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
    /// taken back counts like nine, one that is refused for what it is like seventeen.
    pub empty_frames_max: u32,
    /// For how long a connection that is to be told to leave may go without a moment in which no request is in flight. Then
    /// it is told in the middle of them, which many clients take badly. Counts to a drain: enough for most to find a moment,
    /// and little beside `idle_timeout`.
    pub goodbye_wait: Duration,
    /// Connections are told to leave from a moment within this time after the beginning of a drain, each from another: at once,
    /// and a thousand clients would come back in the same moment.
    pub goodbye_spread: Duration,
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
            goodbye_wait: Duration::from_secs(10),
            goodbye_spread: Duration::from_secs(10),
        }
    }
}
