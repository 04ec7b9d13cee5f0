//! The data plane between raw clients and scripted upstreams.
//!
//! - `forwarding`: what reaches the upstream, and what comes back
//! - `strictness`: what is refused of what a client may send, row by row
//! - `http2`: the same for many requests on one connection
//! - `grpc`: calls of gRPC, and endpoints that speak HTTP/2 or TLS
//! - `limits`: what is too large, too slow or too many, towards clients and from upstreams
//! - `floods`: what costs an attacker little and would cost us much, with an honest client beside it
//! - `filters`: what a route's policy does with requests and answers
//! - `auth`: which requests may use a route, by password and by another server's word
//! - `compression`: answers that a route compresses
//! - `timeouts`: how long a route's own times let its endpoints take, and how often its requests are tried
//! - `retry`: after what a route lets its requests be tried at another endpoint
//! - `routes`: which backend a request reaches
//! - `affinity`: which endpoint, where a cookie or a text decides
//! - `overload`: more than can be served at a time
//! - `early`: endpoints that answer before they have read a request
//! - `drain`: what a client sees of a drain, and when the workers end
//! - `half_close`: a client that closes its sending side
//! - `idle`: what keeps a connection open, what ends it, and what its end may cost
//! - `library`: what hyper, h2 and http do by themselves, row by row
//! - `proxy_protocol`, `secure`: what may be spoken before HTTP
//! - `tunnels`: switches of protocols
//! - `websocket`: WebSocket, over HTTP/1 and HTTP/2
//! - `access_log`: the line that is written of a request
//! - `upstreams`: endpoints and their pools; what is tried again, and where; broken answers

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod access_log;
mod affinity;
mod answers;
mod auth;
mod compression;
mod drain;
mod early;
mod filters;
mod floods;
mod forwarding;
mod grpc;
mod half_close;
mod http2;
mod idle;
mod library;
mod limits;
mod overload;
mod pages;
mod proxy_protocol;
mod retry;
mod routes;
mod secure;
mod strictness;
mod tcp_services;
mod timeouts;
mod tunnels;
mod upstreams;
mod websocket;
