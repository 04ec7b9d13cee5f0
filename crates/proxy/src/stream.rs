//! A socket, with TLS around what is spoken on it or without: a client's or an endpoint's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// What is spoken on.
pub(crate) enum Stream {
    Plain(TcpStream),
    /// Boxed: the state of a session is large, and most sockets here carry none.
    Tls(Box<Session>),
}

/// A session of TLS, around a socket that can be taken out.
pub(crate) type Session = TlsStream<SessionSocket>;

impl Stream {
    /// The socket itself.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(session) => session.get_ref().0.watched(),
        }
    }

    /// Has the runtime watch the socket no longer, which takes memory of its own for that.
    ///
    /// # Errors
    /// If it cannot; then the socket is closed.
    pub(crate) fn unwatch(self) -> io::Result<Unwatched> {
        match self {
            Stream::Plain(socket) => Ok(Unwatched { socket: socket.into_std()?, session: None }),
            Stream::Tls(mut session) => {
                let socket = session.get_mut().0.0.take().expect(WATCHED).into_std()?;
                Ok(Unwatched { socket, session: Some(session) })
            }
        }
    }

    /// Whether there is something to read that the socket no longer knows of.
    pub(crate) fn holds_bytes(&self) -> bool {
        match self {
            Stream::Plain(_) => false,
            // A session at rest wants to read unless it has bytes, or the end, for us.
            Stream::Tls(session) => !session.get_ref().1.wants_read(),
        }
    }
}

/// One that the runtime does not watch.
pub(crate) struct Unwatched {
    pub(crate) socket: std::net::TcpStream,
    session: Option<Box<Session>>,
}

impl Unwatched {
    /// Has the runtime watch the socket.
    ///
    /// # Errors
    /// If it cannot; then the socket is closed.
    pub(crate) fn watch(self) -> io::Result<Stream> {
        let socket = TcpStream::from_std(self.socket)?;
        Ok(match self.session {
            None => Stream::Plain(socket),
            Some(mut session) => {
                *session.get_mut().0 = SessionSocket::new(socket);
                Stream::Tls(session)
            }
        })
    }
}

/// The socket of a session, which is there whenever something is spoken.
pub(crate) struct SessionSocket(Option<TcpStream>);

const WATCHED: &str = "nothing is spoken on a socket that is not watched";

impl SessionSocket {
    pub(crate) fn new(socket: TcpStream) -> SessionSocket {
        SessionSocket(Some(socket))
    }

    fn watched(&self) -> &TcpStream {
        self.0.as_ref().expect(WATCHED)
    }

    fn as_pin(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(self.get_mut().0.as_mut().expect(WATCHED))
    }
}

impl AsyncRead for SessionSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.as_pin().poll_read(cx, buf)
    }
}

impl AsyncWrite for SessionSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.as_pin().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.as_pin().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.as_pin().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.as_pin().poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Stream::Tls(session) => Pin::new(session).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Stream::Tls(session) => Pin::new(session).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Stream::Tls(session) => Pin::new(session).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // What was written is with the kernel.
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(session) => Pin::new(session).poll_flush(cx),
        }
    }

    /// Ends our side; over TLS with the word that it ends (RFC 8446 §6.1).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Stream::Tls(session) => Pin::new(session).poll_shutdown(cx),
        }
    }
}
