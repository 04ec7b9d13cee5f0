//! What an attacker sends: how a connection of HTTP/2 begins, and a socket that counts.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use test_support::frames::{PREFACE, SETTINGS, put, string};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};

/// Bytes of IP and TCP in a segment, with a time stamp.
const SEGMENT: u64 = 52;
/// Connections are opened at this distance, by all attackers together.
pub(crate) const OPENING_TIME: Duration = Duration::from_millis(1);
/// Bytes of a SYN and of the segment that completes the handshake.
const OPENING: u64 = 60 + SEGMENT;

/// The next moment at which an attacker may open a connection, or send.
static OPEN: Turns = Turns(Mutex::new(None));
static LINE: Turns = Turns(Mutex::new(None));

/// What the attackers have one of, and take turns with.
struct Turns(Mutex<Option<Instant>>);

impl Turns {
    /// Waits for a turn that takes so long.
    async fn take(&self, time: Duration) {
        let begin = {
            let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let begin = next.unwrap_or_else(Instant::now).max(Instant::now());
            *next = Some(begin + time);
            begin
        };
        sleep_until(begin).await;
    }
}

/// Waits for as long as so many others would take to open a connection.
pub(super) async fn give_way(others: u32) {
    OPEN.take(OPENING_TIME * others).await;
}

/// Waits until so many bytes fit into the attackers' line, of so many Mbit/s.
pub(super) async fn pace(bytes: usize, line: u32) {
    LINE.take(Duration::from_nanos(bytes as u64 * 8 * 1000 / u64::from(line))).await;
}

static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);

/// Connections that were opened, and bytes that were sent, those of IP and TCP among them (one segment for each write).
pub(super) fn counted() -> (u64, u64) {
    (CONNECTIONS.load(Ordering::Relaxed), SENT.load(Ordering::Relaxed))
}

/// The preface and settings.
pub(super) fn opening(settings: &[u8]) -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    put(&mut bytes, SETTINGS, 0, 0, settings);
    bytes
}

/// The head of a GET: entries of the static table (RFC 7541, appendix A), and literals that are not to be remembered.
pub(super) fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (index, value) in [(1, super::HOST), (4, path)] {
        block.push(index);
        string(&mut block, value.as_bytes());
    }
    block
}

/// A socket that counts what is written to it.
pub(super) struct Wire(TcpStream);

impl Wire {
    /// Opens a connection. Each source address has as many ports as the system gives; there are several.
    pub(super) async fn open(to: SocketAddr, receive_buffer: Option<u32>) -> io::Result<Wire> {
        OPEN.take(OPENING_TIME).await;
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        SENT.fetch_add(OPENING, Ordering::Relaxed);
        let source = 2 + u8::try_from(number % 8).unwrap_or(0);
        socket.bind(SocketAddr::from(([127, 0, 0, source], 0)))?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        // A closed connection would keep its port for a minute.
        stream.set_zero_linger()?;
        Ok(Wire(stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.get_mut().0).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            SENT.fetch_add(SEGMENT + written as u64, Ordering::Relaxed);
        }
        result
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
