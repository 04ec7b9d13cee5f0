//! A tunnel: what two sides say to each other after a switch of protocols (RFC 9110 §7.8), such as WebSocket.
//!
//! It is a request in flight until it ends: nothing that is published touches it, and a drain lets it be for as long as it
//! can. So that not all end in one moment, each then ends at a moment of its own in the last part of that time.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use lifecycle::{Phase, Watch};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};

use crate::connection::Client;
use crate::request::Record;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::upstream::Lease;

/// The part of a drain after which tunnels end: clients that come back by themselves have done so before, or will not.
const DRAIN_PART_MIN: f64 = 0.5;
/// The rest is spread over, and a little is left so that the ends arrive before the hard stop.
const DRAIN_PART_MAX: f64 = 0.95;

/// Both sides have switched protocols.
pub(crate) struct Tunnel {
    record: Record,
    upstream: Stream,
    /// What the upstream has said already, together with its answer.
    early: Vec<u8>,
    /// The endpoint is as busy as with any other request.
    _lease: Lease,
}

impl Tunnel {
    /// Takes an upstream's connection apart that has answered with a switch of protocols; none if it is gone.
    pub(crate) async fn open(record: Record, mut lease: Lease) -> Result<Tunnel, Record> {
        let Some(exchange) = lease.exchange.take() else { return Err(record) };
        let (upstream, early) = exchange.into_stream().await;
        Ok(Tunnel { record, upstream, early, _lease: lease })
    }

    /// Lets both sides talk until one has ended or nothing was said for too long, or the drain's patience ends.
    pub(crate) async fn run(mut self, stream: &mut Stream, client: &Client) {
        let mut over = pin!(drained(client.worker.drain.clone(), client.worker.config.drain_time()));
        let ended = {
            let upstream = &mut self.upstream;
            let early = &self.early;
            let mut talk = pin!(async {
                stream.write_all(early).await?;
                copy_bidirectional(&mut Heard { stream, client }, upstream).await
            });
            client.timer.set(Wait::Client, client.worker.config.downstream.tunnel_idle_timeout);
            std::future::poll_fn(|cx| {
                client.timer.attach(cx);
                if let Poll::Ready(ended) = talk.as_mut().poll(cx) {
                    return Poll::Ready(Some(ended));
                }
                if client.timer.expired(Wait::Client) || over.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                Poll::Pending
            })
            .await
        };
        if let Some(Ok((_, sent))) = ended {
            self.record.bytes_out += sent;
        }
        client.timer.clear(Wait::Client);
        self.record.complete();
        client.flushed();
    }
}

/// Ends when the tunnel has to, because the process leaves.
async fn drained(mut drain: Watch, time: Duration) {
    drain.reached(Phase::Draining).await;
    let part = DRAIN_PART_MIN + (DRAIN_PART_MAX - DRAIN_PART_MIN) * fastrand::f64();
    tokio::time::sleep(time.mul_f64(part)).await;
}

/// The client's side, which has the deadline of the tunnel: each byte in either direction begins it anew.
struct Heard<'a> {
    stream: &'a mut Stream,
    client: &'a Client,
}

impl Heard<'_> {
    fn heard(&self) {
        self.client.timer.set(Wait::Client, self.client.worker.config.downstream.tunnel_idle_timeout);
    }
}

impl AsyncRead for Heard<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut *this.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            this.client.worker.cells.received_bytes.add(read as u64);
            this.heard();
        }
        result
    }
}

impl AsyncWrite for Heard<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut *this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            this.client.worker.cells.sent_bytes.add(written as u64);
            this.heard();
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
