//! What can go wrong with a request: a closed set, each with its status, its side and its word in logs and metrics.

use std::fmt;

use http::StatusCode;

/// Which side is the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The client.
    Downstream,
    /// An endpoint.
    Upstream,
    /// The route table, or we ourselves.
    Internal,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $side:ident, $word:literal;)*) => {
        /// Why a request is not answered by an endpoint.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// All of them, for metrics: the place of each is its number.
            pub(crate) const ALL: &[Refusal] = &[$(Refusal::$name,)*];

            /// The status the client sees, where it can still see one.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Refusal::$name => StatusCode::$status,)* }
            }

            /// Which side is the cause.
            pub(crate) fn side(self) -> Side {
                match self { $(Refusal::$name => Side::$side,)* }
            }

            /// The word in logs and metrics.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Refusal::$name => $word,)* }
            }
        }
    };
}

refusals! {
    /// The head breaks the grammar of RFC 9112, or could be read in two ways.
    BadRequest = BAD_REQUEST, Downstream, "bad-request";
    /// The first line is no request line of any HTTP.
    NotHttp = BAD_REQUEST, Downstream, "not-http";
    /// `Host` is missing, doubled, malformed or differs from the target (RFC 9112 §3.2).
    BadHost = BAD_REQUEST, Downstream, "bad-host";
    /// The target is malformed, or servers would disagree on what it means.
    BadTarget = BAD_REQUEST, Downstream, "bad-target";
    /// The framing of the body is malformed or ambiguous (RFC 9112 §6).
    BadFraming = BAD_REQUEST, Downstream, "bad-framing";
    /// A peer that must say where its bytes come from does not (see [`Listener`](crate::Listener)).
    ProxyHeader = BAD_REQUEST, Downstream, "proxy-header";
    /// HTTP without TLS where TLS is spoken.
    PlainHttp = BAD_REQUEST, Downstream, "plain-http";
    /// The host is not one that this TLS connection was opened for (RFC 9110 §15.5.20).
    Misdirected = MISDIRECTED_REQUEST, Internal, "misdirected";
    /// The connection was opened before the host began to demand what it demands now of clients' certificates.
    StaleHandshake = MISDIRECTED_REQUEST, Internal, "stale-handshake";
    /// The client has not shown the certificate that the host demands.
    NoClientCertificate = BAD_REQUEST, Internal, "no-client-certificate";
    /// The client's certificate cannot be believed.
    ClientCertificate = BAD_REQUEST, Internal, "client-certificate";
    /// The client's certificate is for another subject.
    ClientSubject = FORBIDDEN, Internal, "client-subject";
    /// The CA bundle that clients are verified by is not in the Secret that an Ingress of the host names.
    ClientCa = FORBIDDEN, Internal, "client-ca";
    /// No rule matches.
    NoRoute = NOT_FOUND, Internal, "no-route";
    /// The route is for clients of other addresses.
    Address = FORBIDDEN, Internal, "address";
    /// The client calls itself something, or comes from a place, that is refused.
    Blocked = FORBIDDEN, Internal, "blocked";
    /// The client has sent more requests of late than its route serves.
    Rate = SERVICE_UNAVAILABLE, Internal, "rate";
    /// The client has as many requests in flight as its route serves.
    InFlight = SERVICE_UNAVAILABLE, Internal, "in-flight";
    /// Too many passwords wait for being verified.
    Passwords = SERVICE_UNAVAILABLE, Internal, "passwords";
    /// The server that is asked about requests has not said whether this one may be sent.
    AuthServer = INTERNAL_SERVER_ERROR, Upstream, "auth-server";
    /// What was to guard the route cannot be honoured (see the object's problems).
    Denied = SERVICE_UNAVAILABLE, Internal, "denied";
    /// CONNECT to anywhere, or TRACE.
    Method = METHOD_NOT_ALLOWED, Downstream, "method";
    /// The head took too long.
    HeadTimeout = REQUEST_TIMEOUT, Downstream, "head-timeout";
    /// The body took too long.
    BodyTimeout = REQUEST_TIMEOUT, Downstream, "body-timeout";
    /// The body is longer than allowed.
    BodyTooLarge = PAYLOAD_TOO_LARGE, Downstream, "body-too-large";
    /// The request line is longer than allowed.
    LineTooLong = URI_TOO_LONG, Downstream, "line-too-long";
    /// `Expect` asks for something other than `100-continue` (RFC 9110 §10.1.1).
    Expectation = EXPECTATION_FAILED, Downstream, "expectation";
    /// The head is longer than allowed, or has too many fields.
    HeadTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, Downstream, "head-too-large";
    /// CONNECT to speak something other than WebSocket (RFC 8441 §4).
    TunnelProtocol = NOT_IMPLEMENTED, Downstream, "tunnel-protocol";
    /// A transfer coding that we do not know (RFC 9112 §6.1).
    TransferCoding = NOT_IMPLEMENTED, Downstream, "transfer-coding";
    /// No version of HTTP that we speak.
    Version = HTTP_VERSION_NOT_SUPPORTED, Downstream, "version";
    /// The client left before its request was complete or answered; it sees no status.
    ClientGone = BAD_REQUEST, Downstream, "client-gone";
    /// The client does not take the response; it sees no status.
    ClientStalled = BAD_REQUEST, Downstream, "client-stalled";
    /// The client sends frames of HTTP/2 that carry nothing, or takes its requests back; it sees no status.
    Flood = BAD_REQUEST, Downstream, "flood";
    /// The client has as many connections as one may have.
    ClientConnections = SERVICE_UNAVAILABLE, Downstream, "client-connections";
    /// The heads of the requests in flight on one connection of HTTP/2 take as much as they may.
    Heads = SERVICE_UNAVAILABLE, Downstream, "heads";
    /// There are as many requests in flight as there may be.
    Requests = SERVICE_UNAVAILABLE, Internal, "requests";
    /// Memory is short.
    Memory = SERVICE_UNAVAILABLE, Internal, "memory";
    /// The process or the system has no file descriptor left for a connection to an endpoint.
    Files = SERVICE_UNAVAILABLE, Internal, "files";
    /// The endpoints have as many connections as they may have, and none has a place for one more request.
    EndpointBusy = SERVICE_UNAVAILABLE, Upstream, "endpoint-busy";
    /// No endpoint can be connected to.
    Connect = BAD_GATEWAY, Upstream, "connect";
    /// Endpoints were reached, and no TLS handshake came about: they are not the ones they should be, do not believe us, or speak
    /// something else.
    Handshake = BAD_GATEWAY, Upstream, "handshake";
    /// The upstream closed before a response.
    UpstreamClosed = BAD_GATEWAY, Upstream, "upstream-closed";
    /// The endpoint speaks HTTP/2 and takes no WebSocket on it (RFC 8441 §3).
    NoWebSocket = BAD_GATEWAY, Upstream, "no-websocket";
    /// The upstream's response breaks the grammar, or is one that we did not ask for.
    BadResponse = BAD_GATEWAY, Upstream, "bad-response";
    /// The upstream broke off in the body of its response; the client sees that it is cut.
    ResponseCut = BAD_GATEWAY, Upstream, "response-cut";
    /// The backend has no usable endpoint.
    NoEndpoint = SERVICE_UNAVAILABLE, Internal, "no-endpoint";
    /// What a TLS handshake with the backend's endpoints takes is not in the Secret that its Ingress names.
    Credentials = SERVICE_UNAVAILABLE, Internal, "credentials";
    /// The process stopped before the response was whole.
    Cut = SERVICE_UNAVAILABLE, Internal, "cut";
    /// No endpoint took a connection in time.
    ConnectTimeout = GATEWAY_TIMEOUT, Upstream, "connect-timeout";
    /// The upstream did not answer in time.
    ResponseTimeout = GATEWAY_TIMEOUT, Upstream, "response-timeout";
    /// A call of gRPC has lasted longer than its client wanted to wait.
    CallTimeout = GATEWAY_TIMEOUT, Upstream, "call-timeout";
    /// The upstream fell silent in the body of its response; the client sees that it is cut.
    ResponseStalled = GATEWAY_TIMEOUT, Upstream, "response-stalled";
}

impl Refusal {
    /// Whether another connection could do better.
    pub(crate) fn is_of_connection(self) -> bool {
        matches!(self, Refusal::StaleHandshake | Refusal::NoClientCertificate | Refusal::ClientCertificate)
    }

    /// Whether there was only too much to do at this moment.
    pub(crate) fn is_overload(self) -> bool {
        matches!(
            self,
            Refusal::ClientConnections
                | Refusal::Heads
                | Refusal::Requests
                | Refusal::Memory
                | Refusal::Files
                | Refusal::EndpointBusy
                | Refusal::Passwords
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Refusal {}
