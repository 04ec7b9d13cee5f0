//! One upstream connection of HTTP/1.
//!
//! The connection has no task: what uses it polls it. A request's own task drives the connection first and then looks
//! at what it yields, so no wake-up ever crosses tasks and no channel is waited on.

mod interim;
mod io;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::task::unconstrained;

use self::io::{Progress, UpstreamIo};
use super::body::RequestBody;
use crate::client::Carrier;
use crate::config::Upstream;
use crate::error::Refusal;
use crate::stream::Stream;

/// hyper's read buffer, at least: what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 64 << 10;

/// An open connection to an endpoint.
pub(crate) struct Http1Connection {
    sender: SendRequest<RequestBody>,
    connection: http1::Connection<TokioIo<UpstreamIo>, RequestBody>,
    ended: bool,
    progress: Rc<Progress>,
}

/// A response head; with HTTP/1 its body comes with [`Http1Connection::poll`].
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

impl Http1Connection {
    pub(super) async fn open(stream: Stream, limits: &Upstream) -> Result<Box<Http1Connection>, Refusal> {
        let progress = Rc::<Progress>::default();
        let io = TokioIo::new(UpstreamIo::new(stream, Rc::clone(&progress)));
        let mut builder = http1::Builder::new();
        builder
            .max_buf_size(limits.head_bytes_max.max(READ_BUFFER_BYTES_MIN))
            .max_header_size(limits.head_bytes_max)
            .max_headers(limits.head_fields_max);
        let (sender, connection) = builder.handshake(io).await.map_err(|_| Refusal::Connect)?;
        Ok(Box::new(Http1Connection { sender, connection, ended: false, progress }))
    }

    /// Sends a request and waits for the head of its response. The future does not keep the request.
    pub(crate) fn send<'a>(
        &'a mut self,
        carrier: &'a Carrier,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Answered, Box<Unanswered>>> + 'a {
        self.begin(carrier);
        self.sent(carrier, request)
    }

    /// The same for a request of our own: the client is told of nothing that comes before the answer.
    pub(crate) fn ask<'a>(
        &'a mut self,
        carrier: &'a Carrier,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Answered, Box<Unanswered>>> + 'a {
        self.begin(carrier);
        self.progress.interims.pass_over();
        self.sent(carrier, request)
    }

    fn begin(&self, carrier: &Carrier) {
        // One read may bring the head and a buffer full of what follows it.
        let head_bytes_max = carrier.worker().config.upstream.head_bytes_max;
        self.progress.begin(head_bytes_max + head_bytes_max.max(READ_BUFFER_BYTES_MIN));
    }

    fn sent<'a>(
        &'a mut self,
        carrier: &'a Carrier,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Answered, Box<Unanswered>>> + 'a {
        // Unconstrained: asked without a waker, it must never say that it has used up its share of this turn.
        let response = unconstrained(self.sender.try_send_request(request));
        Sent {
            response,
            carrier,
            connection: &mut self.connection,
            ended: &mut self.ended,
            progress: &self.progress,
        }
    }

    /// The socket of a connection whose protocol was switched, and what came on it after the answer.
    pub(crate) async fn into_stream(mut self: Box<Self>) -> (Stream, Vec<u8>) {
        // hyper has read the answer; what is left for it to do waits for nothing.
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
        !self.ended && !self.progress.deaf.get() && self.sender.is_ready()
    }
}

pin_project! {
    /// A request that is being answered. By hand, because an `async` block would keep what it waits for twice.
    struct Sent<'a, F> {
        #[pin]
        response: F,
        carrier: &'a Carrier,
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
        this.progress.interims.take().into_iter().for_each(|one| this.carrier.say_interim(one, cx));
        if !this.carrier.is_told() {
            // It has to be on its way before hyper has the answer; a client that does not take it is noticed by the connection.
            return Poll::Pending;
        }
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
        if let Some(late) = this.carrier.is_too_late() {
            return failed(late, None);
        }
        Poll::Pending
    }
}

fn classify(error: &hyper::Error) -> Refusal {
    if error.is_parse() { Refusal::BadResponse } else { Refusal::UpstreamClosed }
}
