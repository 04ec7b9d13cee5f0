//! One upstream connection of HTTP/1, and the exchange of a request for a response on it.
//!
//! The connection has no task: whoever uses it polls it. A request's own task drives the connection first and then looks
//! at what it yields, so no wake-up ever crosses tasks and no channel is waited on.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;

use crate::body::RequestBody;
use crate::config::Upstream;
use crate::connection::Client;
use crate::error::Refusal;
use crate::stream::Stream;

/// hyper's read buffer, at least: what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 64 << 10;

/// Bytes that one read takes, whatever the buffer has room for: pieces of a body are this large, and whoever's client does
/// not take them holds one. Less one: hyper would take reads of the whole for a sign that twice as much comes at a time,
/// and make its buffer as large.
const PIECE_BYTES_MAX: u64 = (8 << 10) - 1;
/// The same for a client that takes what it is sent as fast as that comes. haproxy's figure (`tune.bufsize`).
const PIECE_BYTES_MAX_IN_STEP: u64 = (16 << 10) - 1;

/// An open connection to an endpoint.
pub(crate) struct Exchange {
    sender: SendRequest<RequestBody>,
    connection: http1::Connection<TokioIo<UpstreamIo>, RequestBody>,
    ended: bool,
    progress: Rc<Progress>,
}

/// How far the answer to the current request has come.
#[derive(Default)]
struct Progress {
    /// A byte of it has come.
    answered: Cell<bool>,
    /// Bytes that may still come before its head is whole: hyper would skip interim responses for ever.
    left: Cell<usize>,
    /// Its client keeps pace.
    in_step: Cell<bool>,
}

/// A response head; with HTTP/1 its body comes with [`Exchange::poll`].
pub(crate) type Answered = Response<Incoming>;

/// What became of a request that got no response.
pub(crate) struct Unanswered {
    pub(crate) why: Refusal,
    /// The request, if none of it was sent.
    pub(crate) request: Option<Request<RequestBody>>,
    /// Whether a byte of a response had come.
    pub(crate) answered: bool,
    /// Whether the endpoint says that it has not looked at it, whatever was sent.
    pub(crate) unseen: bool,
}

impl Exchange {
    pub(super) async fn open(stream: Stream, limits: &Upstream) -> Result<Box<Exchange>, Refusal> {
        let progress = Rc::<Progress>::default();
        let io = TokioIo::new(UpstreamIo { stream, progress: Rc::clone(&progress) });
        let mut builder = http1::Builder::new();
        builder
            .max_buf_size(limits.head_bytes_max.max(READ_BUFFER_BYTES_MIN))
            .max_header_size(limits.head_bytes_max)
            .max_headers(limits.head_fields_max);
        let (sender, connection) = builder.handshake(io).await.map_err(|_| Refusal::Connect)?;
        Ok(Box::new(Exchange { sender, connection, ended: false, progress }))
    }

    /// Sends a request and waits for the head of its response. The future does not keep the request.
    pub(crate) fn send<'a>(
        &'a mut self,
        client: &'a Client,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Answered, Box<Unanswered>>> + 'a {
        // One read may bring the head and a buffer full of what follows it.
        let head_bytes_max = client.worker.config.upstream.head_bytes_max;
        self.progress.left.set(head_bytes_max + head_bytes_max.max(READ_BUFFER_BYTES_MIN));
        self.progress.answered.set(false);
        self.progress.in_step.set(false);
        // Unconstrained: asked without a waker, it must never say that it has used up its share of this turn.
        let response = unconstrained(self.sender.try_send_request(request));
        Sent {
            response,
            client,
            connection: &mut self.connection,
            ended: &mut self.ended,
            progress: &self.progress,
        }
    }

    /// The socket of a connection whose protocol was switched, and what came on it after the answer.
    pub(crate) async fn into_stream(mut self: Box<Self>) -> (Stream, Vec<u8>) {
        // hyper has read the answer; what is left for it to do waits for nobody.
        std::future::poll_fn(|cx| {
            self.poll(cx);
            if self.ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let parts = self.connection.into_parts();
        (parts.io.into_inner().stream, parts.read_buf.into())
    }

    /// From here on pieces may be larger.
    pub(crate) fn keep_step(&self) {
        self.progress.in_step.set(true);
    }

    /// Drives the connection while its response is being read.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = Pin::new(&mut self.connection).poll(cx).is_ready();
        }
    }

    /// Whether an idle connection is still open, as far as the runtime knows: a look at a flag, not a system call.
    /// After a response, whether that is read and its request written to the end.
    pub(super) fn is_open(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }
}

pin_project! {
    /// A request that is being answered. By hand, because an `async` block would keep what it waits for twice.
    struct Sent<'a, F> {
        #[pin]
        response: F,
        client: &'a Client,
        connection: &'a mut http1::Connection<TokioIo<UpstreamIo>, RequestBody>,
        ended: &'a mut bool,
        progress: &'a Progress,
    }
}

impl<F> Future for Sent<'_, F>
where
    F: Future<Output = Result<Answered, TrySendError<Request<RequestBody>>>>,
{
    type Output = Result<Answered, Box<Unanswered>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !**this.ended {
            **this.ended = Pin::new(&mut **this.connection).poll(cx).is_ready();
        }
        let failed = |why, request| {
            let answered = this.progress.answered.get();
            Poll::Ready(Err(Box::new(Unanswered { why, request, answered, unseen: false })))
        };
        match this.response.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => {
                this.progress.left.set(usize::MAX);
                return Poll::Ready(Ok(response));
            }
            Poll::Ready(Err(mut error)) => {
                let request = error.take_message();
                return failed(classify(error.error()), request);
            }
            Poll::Pending if **this.ended => return failed(Refusal::UpstreamClosed, None),
            Poll::Pending => {}
        }
        if let Some(late) = this.client.is_too_late() {
            return failed(late, None);
        }
        Poll::Pending
    }
}

fn classify(error: &hyper::Error) -> Refusal {
    if error.is_parse() { Refusal::BadResponse } else { Refusal::UpstreamClosed }
}

/// An endpoint's socket as hyper sees it: notes how far a response has come.
struct UpstreamIo {
    stream: Stream,
    progress: Rc<Progress>,
}

impl AsyncRead for UpstreamIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let most = if this.progress.in_step.get() { PIECE_BYTES_MAX_IN_STEP } else { PIECE_BYTES_MAX };
        let mut piece = (&mut this.stream).take(most);
        let result = Pin::new(&mut piece).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            this.progress.answered.set(true);
            match this.progress.left.get().checked_sub(read) {
                Some(left) => this.progress.left.set(left),
                None => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            }
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

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
