//! The rows: what is asked of the proxies.

use crate::client::{Load, Requests, Sessions, Speak, Trust, get, post};
use crate::message::{HOST, HUGE, LARGE, SMALL};
use crate::proxy::{Proxy, Running};
use crate::routes;

/// One of the rows.
pub(crate) struct Row {
    /// As `--only` names it.
    pub(crate) name: &'static str,
    /// As the report describes it.
    pub(crate) about: &'static str,
    pub(crate) work: Work,
}

/// What is done, and looked at.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// CPU time and requests a second, in a closed loop.
    Load(Shape),
    /// How long answers take, in an open loop with this share of nginx' requests a second, in per cent.
    Latency(u32),
    /// System calls for each request.
    Calls(Shape),
    /// Memory for each silent connection, with so many times fewer of them.
    Idle(Shape, usize),
}

/// The form of a load.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) ask: Ask,
    connections: usize,
    streams: usize,
    close: bool,
    tls: Option<Sessions>,
    /// Whether the floor is one here. With a connection for each request it is not: it opens two; and with huge answers it
    /// spins on full sockets.
    floor: bool,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Small,
    Large,
    Huge,
    Post,
    Http2,
    Grpc,
    WebSocket,
    /// Small answers, by all the routes that there are.
    Routes,
}

pub(crate) const KEEPALIVE: Shape =
    Shape { ask: Ask::Small, connections: 64, streams: 1, close: false, tls: None, floor: true };
const CLOSE: Shape = Shape { close: true, floor: false, ..KEEPALIVE };
const TLS: Shape = Shape { tls: Some(Sessions::New), floor: false, ..KEEPALIVE };
const HTTP2: Shape = Shape { ask: Ask::Http2, connections: 32, streams: 32, ..TLS };

const fn load(name: &'static str, about: &'static str, shape: Shape) -> Row {
    Row { name, about, work: Work::Load(shape) }
}

/// All of them.
pub(crate) const ROWS: [Row; 19] = [
    load("keepalive-64", "HTTP/1.1, 1 KiB response, 64 keep-alive connections", KEEPALIVE),
    load("keepalive-512", "the same, 512 connections", Shape { connections: 512, ..KEEPALIVE }),
    load("response-64k", "64 KiB response, 64 connections", Shape { ask: Ask::Large, ..KEEPALIVE }),
    load(
        "response-1m",
        "1 MiB response, 64 connections",
        Shape { ask: Ask::Huge, floor: false, ..KEEPALIVE },
    ),
    load("post-64k", "POST of 64 KiB, 1 KiB response, 64 connections", Shape { ask: Ask::Post, ..KEEPALIVE }),
    load("new-connections", "a connection for each request, 64 at a time", CLOSE),
    load("tls", "TLS 1.3, 1 KiB response, 64 keep-alive connections", TLS),
    load(
        "tls-full",
        "a connection with a full TLS 1.3 handshake for each request",
        Shape { close: true, ..TLS },
    ),
    load(
        "tls-resumed",
        "the same, each resumes a session",
        Shape { close: true, tls: Some(Sessions::Resumed), ..TLS },
    ),
    load("http2", "HTTP/2 over TLS, 1 KiB response, 32 connections with 32 streams each", HTTP2),
    load(
        "grpc",
        "unary calls of gRPC over TLS, 100 bytes each way, the same connections",
        Shape { ask: Ask::Grpc, ..HTTP2 },
    ),
    load("websocket", "WebSocket, 1 KiB echoed, 64 connections", Shape { ask: Ask::WebSocket, ..KEEPALIVE }),
    load(
        "routes",
        "10 000 hosts with 5 paths each beside one route, 64 connections",
        Shape { ask: Ask::Routes, ..KEEPALIVE },
    ),
    Row { name: "latency-30", about: "open loop at 30 % of nginx' requests/s", work: Work::Latency(30) },
    Row { name: "latency-70", about: "open loop at 70 % of nginx' requests/s", work: Work::Latency(70) },
    Row {
        name: "calls-request",
        about: "system calls for each request, keep-alive",
        work: Work::Calls(KEEPALIVE),
    },
    Row {
        name: "calls-connection",
        about: "system calls for a connection with one request",
        work: Work::Calls(CLOSE),
    },
    Row { name: "idle", about: "memory of silent keep-alive connections", work: Work::Idle(KEEPALIVE, 1) },
    Row { name: "idle-tls", about: "the same with TLS", work: Work::Idle(TLS, 4) },
];

/// What `--quick` means.
pub(crate) const QUICK: [&str; 6] =
    ["keepalive-64", "response-64k", "new-connections", "tls", "http2", "idle"];

impl Row {
    /// What `--only` accepts.
    pub(crate) fn names() -> Vec<&'static str> {
        ROWS.iter().map(|row| row.name).collect()
    }

    /// What the others are compared with.
    pub(crate) fn base(&self) -> Proxy {
        if self.is_of_routes() { Proxy::Sluicegate } else { Proxy::Nginx }
    }

    /// Those of these that are of this row.
    pub(crate) fn proxies(&self, there: &[Proxy]) -> Vec<Proxy> {
        there.iter().copied().chain([Proxy::ManyRoutes]).filter(|proxy| self.has(*proxy)).collect()
    }

    fn has(&self, proxy: Proxy) -> bool {
        let floor = matches!(self.work, Work::Load(Shape { floor: true, .. }) | Work::Latency(_));
        match proxy {
            Proxy::ManyRoutes => self.is_of_routes(),
            Proxy::Sluicegate => true,
            Proxy::Floor => floor && !self.is_of_routes(),
            _ => !self.is_of_routes(),
        }
    }

    fn is_of_routes(&self) -> bool {
        matches!(self.work, Work::Load(Shape { ask: Ask::Routes, .. }))
    }
}

impl Shape {
    /// What the clients do with this proxy.
    pub(crate) fn of<'a>(&self, proxy: &Running, trust: &'a Trust) -> Load<'a> {
        Load {
            address: if self.tls.is_some() { proxy.https } else { proxy.http },
            speak: self.speak(proxy.proxy),
            connections: self.connections,
            streams: self.streams,
            close: self.close,
            tls: self.tls.map(|sessions| (trust, sessions)),
        }
    }

    fn speak(&self, proxy: Proxy) -> Speak {
        let fields = if self.close { "Connection: close\r\n" } else { "" };
        let one = |path, body| Requests::new(vec![get(HOST, path, fields)], body);
        Speak::Http1(match self.ask {
            Ask::Http2 => return Speak::Http2,
            Ask::Grpc => return Speak::Grpc,
            Ask::WebSocket => return Speak::WebSocket,
            Ask::Routes if proxy == Proxy::ManyRoutes => Requests::new(routes::requests(), SMALL),
            Ask::Small | Ask::Routes => one("/1k", SMALL),
            Ask::Large => one("/64k", LARGE),
            Ask::Huge => one("/1m", HUGE),
            Ask::Post => Requests::new(vec![post(LARGE)], SMALL),
        })
    }
}
