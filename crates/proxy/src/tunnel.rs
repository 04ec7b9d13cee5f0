//! A tunnel: what two sides say to each other after an upgrade (RFC 9110 §7.8), such as WebSocket.
//!
//! It is a request in flight until it ends: nothing that is published touches it, and a drain lets it be for as long as it
//! can. So that not all end in one moment, each then ends at a moment of its own in the last part of that time.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use lifecycle::{Phase, Watch};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;

use crate::client::{Carrier, Client};
use crate::exchange::Exchange;
use crate::timer::Wait;
use crate::upstream::Lease;

/// The part of a drain after which tunnels end: clients that come back by themselves have done so before, or will not.
const DRAIN_PART_MIN: f64 = 0.5;
/// The rest is spread over, and a little is left so that the ends arrive before the hard stop.
const DRAIN_PART_MAX: f64 = 0.95;

/// What one side talks through.
trait Side: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Side for S {}

/// Where the tunnel is left that a connection of HTTP/1 is to become, until its answer is written and hyper is gone.
pub(crate) type Seat = Cell<Option<Box<Tunnel>>>;

/// Both sides have switched protocols.
pub(crate) struct Tunnel {
    exchange: Exchange,
    /// What the client talks through, unless that is its whole connection.
    stream: Option<OnUpgrade>,
    upstream: Box<dyn Side>,
    /// Silence after which it ends.
    idle_timeout: Duration,
    /// What the upstream has said already, together with its answer.
    early: Vec<u8>,
    /// The endpoint is as busy as with any other request.
    _lease: Lease,
}

impl Tunnel {
    /// A tunnel to an endpoint that has agreed to it: on a stream of HTTP/2, or else on the connection that is leased, which is
    /// taken apart; none if it is gone. The client's side is a stream, or else its connection.
    pub(crate) async fn open(
        exchange: Exchange,
        mut lease: Lease,
        stream: Option<OnUpgrade>,
        upstream: Option<OnUpgrade>,
    ) -> Result<Tunnel, Exchange> {
        let (upstream, early): (Box<dyn Side>, _) = match (lease.connection.take(), upstream) {
            (Some(connection), _) => {
                let (upstream, early) = connection.into_stream().await;
                (Box::new(upstream), early)
            }
            (None, Some(upstream)) => match upstream.await {
                Ok(upstream) => (Box::new(TokioIo::new(upstream)), Vec::new()),
                Err(_) => return Err(exchange),
            },
            (None, None) => return Err(exchange),
        };
        let idle_timeout = exchange.tunnel_timeout();
        Ok(Tunnel { exchange, stream, upstream, idle_timeout, early, _lease: lease })
    }

    /// Waits until the answer is sent: for the driver of its connection, which has given it this seat, or for the task of its
    /// stream.
    pub(crate) fn wait(self, seat: Option<&Seat>) {
        if let Carrier::Stream(stream) = self.exchange.carrier.clone() {
            stream.go_on_with(Box::pin(self.run_on_stream()));
        } else if let Some(seat) = seat {
            seat.set(Some(Box::new(self)));
        }
    }

    /// Lets both sides talk, the client on a stream that is its own from the moment at which its answer is sent.
    async fn run_on_stream(mut self) {
        if let Some(stream) = self.stream.take()
            && let Ok(stream) = stream.await
        {
            self.run(&mut TokioIo::new(stream)).await;
        }
    }

    /// Lets both sides talk until one has ended or nothing was said for too long, or the drain's patience ends.
    pub(crate) async fn run(mut self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let carrier = self.exchange.carrier.clone();
        let early = &self.early;
        let mut talked = Talked::default();
        talk(&carrier, stream, &mut self.upstream, early, self.idle_timeout, &mut talked).await;
        self.exchange.bytes_out += talked.sent;
        self.exchange.complete();
        carrier.all_flushed();
    }
}

/// How much was said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Talked {
    /// By the client.
    pub(crate) received: u64,
    /// To the client.
    pub(crate) sent: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides have said all, or it was ended here: after silence, or in a drain.
    Ended,
    /// One side broke off.
    Broken,
}

/// Lets the client and an upstream talk, which has said something already, until one has ended or nothing was said for too long,
/// or the drain's patience ends. What was said is added to `talked`.
pub(crate) async fn talk(
    carrier: &Carrier,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    upstream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    early: &[u8],
    idle: Duration,
    talked: &mut Talked,
) -> End {
    let (config, timer) = (&carrier.worker().config, carrier.timer());
    // It was to wait (RFC 6455 §4.1), and many do not.
    let said = carrier.take_early().unwrap_or_default();
    let mut over = pin!(drained(carrier.worker().drain.clone(), config.drain_time()));
    let mut client = Heard { stream, carrier, idle, said, talked };
    let mut talk = pin!(async {
        client.stream.write_all(early).await?;
        copy_bidirectional(&mut client, upstream).await
    });
    timer.set(Wait::Client, idle);
    let end = std::future::poll_fn(|cx| {
        timer.attach(cx);
        if let Poll::Ready(ended) = talk.as_mut().poll(cx) {
            return Poll::Ready(if ended.is_ok() { End::Ended } else { End::Broken });
        }
        if timer.expired(Wait::Client) || over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Ended);
        }
        Poll::Pending
    })
    .await;
    timer.clear(Wait::Client);
    end
}

/// The other side is to see that this one did not end by itself.
pub(crate) fn reset_on_close(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Ends when the tunnel has to, because the process leaves.
async fn drained(mut drain: Watch, time: Duration) {
    let part = DRAIN_PART_MIN + (DRAIN_PART_MAX - DRAIN_PART_MIN) * fastrand::f64();
    drain.lasted(Phase::Draining, time.mul_f64(part)).await;
}

/// The client's side, which has the deadline of the tunnel: each byte in either direction begins it anew.
struct Heard<'a, S> {
    stream: &'a mut S,
    carrier: &'a Carrier,
    idle: Duration,
    /// What the client has said before it was answered, and the upstream was not told yet.
    said: Vec<u8>,
    talked: &'a mut Talked,
}

impl<S> Heard<'_, S> {
    fn heard(&self, count: fn(&Client, usize), bytes: usize) {
        // A stream's bytes are counted with its connection's.
        if !self.carrier.is_stream() {
            count(self.carrier.client(), bytes);
        }
        self.carrier.timer().set(Wait::Client, self.idle);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.said.is_empty() {
            let length = this.said.len().min(buf.remaining());
            buf.put_slice(&this.said[..length]);
            this.said.drain(..length);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut *this.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            this.talked.received += read as u64;
            this.heard(Client::received, read);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut *this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            this.talked.sent += written as u64;
            this.heard(Client::sent, written);
        }
        result
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_shutdown(cx)
    }
}
