//! The preamble of a connection, what comes before HTTP: where the client is (PROXY protocol), TLS, and which HTTP is spoken.

use std::rc::Rc;

use http::Version;
use model::any_contains;
use tokio::net::TcpStream;

use super::handshake::handshake;
use super::proxy_header::{self, Malformed};
use super::{Server, Woken, park, preface};
use crate::client::Client;
use crate::config::Protocol;
use crate::error::Refusal;
use crate::respond;
use crate::stream::Stream;

/// Why nothing is served on a socket.
pub(super) enum Failed {
    /// There is nothing to say, or it was said.
    Ended,
    /// The client can be told.
    Owed(Stream, Refusal),
}

/// Whether nothing comes before HTTP/1.
pub(super) fn is_empty(protocol: &Protocol, client: &Client) -> bool {
    protocol.tls.is_none() && !protocol.http2_cleartext && !says_origin(protocol, client)
}

/// The end of a preamble in which nothing comes.
pub(super) fn none(socket: TcpStream, client: &Client) -> Result<(Stream, Version), Failed> {
    let stream = Stream::Plain(socket);
    match client.admit() {
        Ok(()) => Ok((stream, Version::HTTP_11)),
        Err(why) => Err(Failed::Owed(stream, why)),
    }
}

fn says_origin(protocol: &Protocol, client: &Client) -> bool {
    any_contains(&protocol.proxy_header_from, client.peer().ip())
}

/// What the client speaks on, and which HTTP. A load balancer opens connections that it needs only later: until a first
/// byte comes, one is idle, and no handshake is late.
pub(super) async fn read(
    socket: TcpStream,
    protocol: &Protocol,
    server: &Server,
    client: &Rc<Client>,
) -> Result<(Stream, Version), Failed> {
    let says_origin = says_origin(protocol, client);
    let mut stream = Stream::Plain(socket);
    if let Woken::Idle = park(&stream, client, client.worker.config.idle_timeout, None).await {
        return Err(Failed::Ended);
    }
    if says_origin {
        stream = origin(stream, protocol, client).await?;
    }
    if let Err(why) = client.admit() {
        return Err(refused(stream, protocol, client, why));
    }
    match (&protocol.tls, stream) {
        (Some(tls), Stream::Plain(socket)) => handshake(socket, tls, server, client).await,
        (_, stream) if protocol.http2_cleartext && preface::is_there(stream.socket(), client).await => {
            Ok((stream, Version::HTTP_2))
        }
        (_, stream) => Ok((stream, Version::HTTP_11)),
    }
}

/// In clear text the client is told; in TLS that would take a handshake, which is most of the work.
fn refused(stream: Stream, protocol: &Protocol, client: &Client, why: Refusal) -> Failed {
    if protocol.tls.is_none() {
        return Failed::Owed(stream, why);
    }
    respond::record(client, why);
    Failed::Ended
}

/// Learns from the peer where the client is.
async fn origin(stream: Stream, protocol: &Protocol, client: &Client) -> Result<Stream, Failed> {
    match proxy_header::read(stream.socket(), client).await {
        Ok(origin) => {
            if let Some(origin) = origin {
                client.is_proxied_from(origin);
            }
            Ok(stream)
        }
        Err(Malformed) => Err(refused(stream, protocol, client, Refusal::ProxyHeader)),
    }
}
