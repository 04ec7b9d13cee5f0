//! One upstream connection, and the exchange of a request for a response on it.
//!
//! The connection has no task: whoever uses it polls it. A request's own task drives the connection first and then looks
//! at what it yields, so no wake-up ever crosses tasks and no channel is waited on.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::body::RequestBody;
use crate::connection::Client;
use crate::error::Refusal;
use crate::timer::Wait;

/// An open connection to an endpoint.
pub(crate) struct Exchange {
    sender: SendRequest<RequestBody>,
    connection: http1::Connection<TokioIo<UpstreamIo>, RequestBody>,
    ended: bool,
    /// A byte of the response to the current request has come.
    answered: Rc<Cell<bool>>,
}

/// A response head; its body comes with [`Exchange::poll`].
pub(crate) type Answered = Response<Incoming>;

/// What became of a request that got no response.
pub(crate) struct Unanswered {
    pub(crate) why: Refusal,
    /// The request, if none of it was sent.
    pub(crate) request: Option<Request<RequestBody>>,
    /// Whether a byte of a response had come.
    pub(crate) answered: bool,
}

impl Exchange {
    pub(super) async fn open(stream: TcpStream, head_bytes_max: usize) -> Result<Box<Exchange>, Refusal> {
        let _ = stream.set_nodelay(true);
        let answered = Rc::new(Cell::new(false));
        let io = TokioIo::new(UpstreamIo { stream, answered: Rc::clone(&answered) });
        let mut builder = http1::Builder::new();
        builder.max_buf_size(head_bytes_max.max(64 << 10)).max_header_size(head_bytes_max);
        let (sender, connection) = builder.handshake(io).await.map_err(|_| Refusal::Connect)?;
        Ok(Box::new(Exchange { sender, connection, ended: false, answered }))
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        client: &Client,
        request: Request<RequestBody>,
    ) -> Result<Answered, Box<Unanswered>> {
        self.answered.set(false);
        let mut response = pin!(self.sender.try_send_request(request));
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let mut nobody = Context::from_waker(Waker::noop());
        let result = poll_fn(|cx| {
            if !*ended {
                *ended = Pin::new(&mut *connection).poll(cx).is_ready();
            }
            match response.as_mut().poll(&mut nobody) {
                Poll::Ready(result) => return Poll::Ready(Ok(result)),
                Poll::Pending if *ended => return Poll::Ready(Err(Refusal::UpstreamClosed)),
                Poll::Pending => {}
            }
            let late = client.timer.expired(Wait::Upstream) || client.timer.expired(Wait::Request);
            if late { Poll::Ready(Err(Refusal::ResponseTimeout)) } else { Poll::Pending }
        })
        .await;
        let answered = self.answered.get();
        match result {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(mut error)) => {
                let request = error.take_message();
                let why = classify(error.error());
                Err(Box::new(Unanswered { why, request, answered }))
            }
            Err(why) => Err(Box::new(Unanswered { why, request: None, answered })),
        }
    }

    /// Drives the connection while its response is being read.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = Pin::new(&mut self.connection).poll(cx).is_ready();
        }
    }

    /// Whether an idle connection is still open, as far as the runtime knows: a look at a flag, not a system call.
    pub(super) fn is_open(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }

    /// Whether the response is read and the request written to its end, so that the connection can carry another.
    pub(super) fn is_reusable(&mut self) -> bool {
        self.is_open()
    }
}

fn classify(error: &hyper::Error) -> Refusal {
    if error.is_parse() { Refusal::BadResponse } else { Refusal::UpstreamClosed }
}

/// An endpoint's socket as hyper sees it: notes when a response begins.
struct UpstreamIo {
    stream: TcpStream,
    answered: Rc<Cell<bool>>,
}

impl AsyncRead for UpstreamIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.answered.set(true);
        }
        result
    }
}

impl AsyncWrite for UpstreamIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
