//! The layer, the service that it makes of another one, and the answer that is under way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::close::Manners;
use super::in_flight::InFlight;
use super::{ExitBody, Held};

/// Makes a service one that leaves gracefully. Cheap to clone; all services of one layer leave together.
#[derive(Clone, Debug)]
pub struct ExitLayer {
    in_flight: InFlight,
}

impl ExitLayer {
    pub(super) fn new(in_flight: InFlight) -> ExitLayer {
        ExitLayer { in_flight }
    }

    /// Notes something as in flight that the layer does not see, such as a WebSocket or work that outlasts its answer.
    pub fn hold(&self) -> Held {
        self.in_flight.hold()
    }
}

impl<S> Layer<S> for ExitLayer {
    type Service = ExitService<S>;

    fn layer(&self, inner: S) -> ExitService<S> {
        ExitService { inner, in_flight: self.in_flight.clone() }
    }
}

/// A service that counts what is in flight and, once the process leaves, tells each client to leave too.
#[derive(Clone, Debug)]
pub struct ExitService<S> {
    inner: S,
    in_flight: InFlight,
}

impl<S, Req, Res> Service<Request<Req>> for ExitService<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body,
{
    type Response = Response<ExitBody<Res>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Answering<S::Future> {
        let held = Some(self.in_flight.hold());
        Answering { held, manners: Manners::of(&request), inner: self.inner.call(request) }
    }
}

pin_project! {
    /// An answer that is under way.
    #[derive(Debug)]
    #[must_use = "nothing is answered unless this is polled"]
    pub struct Answering<F> {
        #[pin]
        inner: F,
        held: Option<Held>,
        manners: Manners,
    }
}

impl<F, Res, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<Res>, E>>,
    Res: Body,
{
    type Output = Result<Response<ExitBody<Res>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        let held = this.held.take().expect("a future that has ended is polled no more");
        let mut answer = answer?;
        // Now, and not when the request came: this is the last moment at which the client can be told.
        if held.is_leaving() {
            this.manners.tell_to_leave(&mut answer);
        }
        Poll::Ready(Ok(answer.map(|body| ExitBody::new(body, held))))
    }
}
