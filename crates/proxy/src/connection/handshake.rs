//! The TLS handshake: which clients are waited for, and how long.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use rustix::net::RecvFlags;
use tls::ClientCa;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::ServerConnection;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::Server;
use super::linger::in_time;
use super::passthrough;
use super::preamble::Failed;
use crate::client::{Asked, Client, Secure, Shown};
use crate::config::Tls;
use crate::error::Refusal;
use crate::stream::{SessionSocket, Stream};
use crate::timer::Wait;

/// The alert `unrecognized_name` as it stands on the wire before there are keys (RFC 8446 §5.1 and §6, RFC 6066 §3).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Bytes that a session keeps for a client that takes nothing: as many as a record has (RFC 8446 §5.1). rustls alone would
/// keep four times as much.
const SESSION_BYTES_MAX: usize = 16 << 10;

/// The handshakes of a worker that are under way, the oldest first.
#[derive(Default)]
pub(crate) struct Handshakes(RefCell<VecDeque<Weak<Client>>>);

impl Handshakes {
    /// One more. Where there are too many, the oldest is given up: an honest client was done long before.
    fn begin(&self, client: &Rc<Client>, max: usize) {
        let mut pending = self.0.borrow_mut();
        pending.retain(|client| client.upgrade().is_some_and(|client| client.secure.get().is_none()));
        while pending.len() >= max {
            if let Some(oldest) = pending.pop_front().and_then(|client| client.upgrade()) {
                oldest.timer.set(Wait::Client, Duration::ZERO);
            }
        }
        pending.push_back(Rc::downgrade(client));
    }

    /// One less, which came to another end than a session.
    fn end(&self, client: &Rc<Client>) {
        self.0.borrow_mut().retain(|pending| !std::ptr::eq(pending.as_ptr(), Rc::as_ptr(client)));
    }
}

/// Makes a session of a socket that has its first bytes.
pub(super) async fn handshake(
    socket: TcpStream,
    terms: &Arc<Tls>,
    server: &Server,
    client: &Rc<Client>,
) -> Result<(Stream, Version), Failed> {
    let limits = client.limits();
    server.handshakes.begin(client, limits.handshakes_max);
    client.timer.set(Wait::Client, limits.handshake_timeout);
    // After a PROXY header the first byte may still be on its way.
    let _ = in_time(client, |cx| socket.poll_read_ready(cx)).await;
    let mut first = [0];
    if matches!(rustix::net::recv(&socket, &mut first[..], RecvFlags::PEEK | RecvFlags::DONTWAIT), Ok((1, _)))
        && first[0].is_ascii_uppercase()
    {
        return Err(Failed::Owed(Stream::Plain(socket), Refusal::PlainHttp));
    }
    if let Some(route) = passthrough::route(&socket, server, client).await {
        // There is no handshake of ours to wait for.
        server.handshakes.end(client);
        client.timer.clear(Wait::Client);
        Box::pin(passthrough::pass(socket, &route, server, client)).await;
        return Err(Failed::Ended);
    }
    let mut accepting = Box::pin(accept(socket, terms, server));
    let accepted = in_time(client, |cx| accepting.as_mut().poll(cx)).await;
    client.timer.clear(Wait::Client);
    let failed = match accepted {
        Some(Ok((session, asked))) => {
            let state = session.get_ref().1;
            let name = state.server_name().map(Box::from);
            let is_http2 = state.alpn_protocol() == Some(tls::HTTP_2);
            let shown = || Shown::new(state.peer_certificates()?);
            let asked = asked.map(|by| Box::new(Asked { by, shown: shown() }));
            let _ = client.secure.set(Box::new(Secure { tls: Arc::clone(terms), name, asked }));
            client.worker.cells.handshakes.add(1);
            let version = if is_http2 { Version::HTTP_2 } else { Version::HTTP_11 };
            return Ok((Stream::Tls(Box::new(session.into())), version));
        }
        Some(Err(error)) => error.to_string(),
        None => "not done in time".to_owned(),
    };
    client.worker.cells.handshakes_failed.add(1);
    tracing::debug!(client = %client.peer(), "no TLS handshake: {failed}");
    Err(Failed::Ended)
}

/// A session, and whether the client was asked for a certificate, and of which CA bundle.
type Accepted = (TlsStream<SessionSocket>, Option<Option<Arc<ClientCa>>>);

/// A client that asks for a name without a certificate is told just that; rustls alone would say that access is denied.
async fn accept(socket: TcpStream, terms: &Tls, server: &Server) -> io::Result<Accepted> {
    let mut begun = LazyConfigAcceptor::new(Acceptor::default(), SessionSocket::new(socket)).await?;
    if terms.certificates.load().find(begun.client_hello().server_name()).is_none() {
        begun.io.write_all(&UNRECOGNIZED_NAME).await?;
        return Err(io::Error::other("no certificate for the name that the client asks for"));
    }
    let limit = |session: &mut ServerConnection| session.set_buffer_limit(Some(SESSION_BYTES_MAX));
    let asked = asked(begun.client_hello().server_name(), terms, server);
    let config = match &asked {
        None => Arc::clone(&terms.config),
        Some(by) => tls::asking(&terms.config, &terms.tickets, by.as_ref()),
    };
    Ok((begun.into_stream_with(config, limit).await?, asked))
}

/// Whether a client that asks for this name is asked for a certificate; and of which CA bundle, as far as there is one.
fn asked(name: Option<&str>, terms: &Tls, server: &Server) -> Option<Option<Arc<ClientCa>>> {
    let view = server.upstreams.view();
    let demanded = view.table.client_tls(name).filter(|demanded| demanded.verify.asks())?;
    let live = terms.client_cas.load();
    Some(demanded.ca.as_deref().and_then(|secret| live.find(secret)).map(Arc::clone))
}
