//! Endpoints that speak HTTP/2: many requests share a connection, and there are as many connections as they need.
//!
//! Unlike one of HTTP/1 such a connection has a task of its own, since no single request could drive it for the others.
//! One at a time is opened for each endpoint; whoever needs it waits for the same one.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};

use http::{Method, Request};
use hyper::client::conn::http2::{self, Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;

use super::connect::dial;
use super::exchange::{Answered, Unanswered};
use super::pool::{EndpointPool, Reuse};
use crate::body::RequestBody;
use crate::config;
use crate::connection::Client;
use crate::error::Refusal;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::worker::Worker;

/// Connections of one endpoint, as one worker uses them.
#[derive(Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Rc<Connection>>>,
    opening: RefCell<Option<Rc<Opening>>>,
}

struct Connection {
    sender: SendRequest<RequestBody>,
    /// Knows how many streams the endpoint takes.
    driver: Rc<RefCell<Driver>>,
    requests: Cell<usize>,
    has_carried: Cell<bool>,
    /// When it last was given a request, or was seen with one.
    used: Cell<u32>,
}

/// A request's place on a connection, as long as it lasts.
pub(crate) struct Place {
    connection: Rc<Connection>,
    /// Whether the connection has carried an earlier request.
    pub(crate) reused: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connection.requests.set(self.connection.requests.get() - 1);
    }
}

impl Connections {
    /// A place on the first connection that has one, so that those which are not needed become idle.
    fn place(&self, reuse: Reuse, now: u32, streams_max: usize) -> Option<Place> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.sender.is_closed());
        let fits = |connection: &&Rc<Connection>| {
            let requests = connection.requests.get();
            let may_be_reused = match reuse {
                Reuse::Young(ticks) => requests > 0 || now.saturating_sub(connection.used.get()) < ticks,
                Reuse::Any => true,
                Reuse::No => !connection.has_carried.get(),
            };
            may_be_reused && requests < streams_max.min(connection.driver.borrow().current_max_send_streams())
        };
        let connection = Rc::clone(open.iter().find(fits)?);
        connection.requests.set(connection.requests.get() + 1);
        connection.used.set(now);
        Some(Place { reused: connection.has_carried.replace(true), connection })
    }

    /// Lets go of all that carry nothing.
    pub(super) fn close_idle(&self) {
        self.open.borrow_mut().retain(|connection| connection.requests.get() > 0);
    }

    /// Lets go of connections that carry nothing and did so for this long.
    pub(super) fn sweep(&self, now: u32, age_max: u32) {
        self.open.borrow_mut().retain(|connection| {
            if connection.requests.get() > 0 {
                connection.used.set(now);
            }
            let idle = now.saturating_sub(connection.used.get());
            !connection.sender.is_closed() && (connection.requests.get() > 0 || idle < age_max)
        });
    }

    /// Nothing begins on any of them any more; what has begun goes on.
    pub(super) fn retire(&self) {
        self.open.take();
    }

    /// The connection that is being opened; begins one if there is none.
    fn opening(&self, endpoint: &Rc<EndpointPool>, worker: &Rc<Worker>) -> Rc<Opening> {
        let mut opening = self.opening.borrow_mut();
        Rc::clone(opening.get_or_insert_with(|| {
            let opening = Rc::<Opening>::default();
            let task = open(Rc::clone(endpoint), Rc::clone(worker), Rc::clone(&opening));
            tokio::task::spawn_local(task);
            opening
        }))
    }
}

/// A connection that is being opened, and who waits for it.
#[derive(Default)]
struct Opening {
    done: Cell<Option<Result<(), Refusal>>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Opening {
    async fn wait(&self, client: &Client) -> Result<(), Refusal> {
        poll_fn(|cx| match self.done.get() {
            Some(done) => Poll::Ready(done),
            None if client.timer.expired(Wait::Request) => Poll::Ready(Err(Refusal::ConnectTimeout)),
            None => {
                let mut wakers = self.wakers.borrow_mut();
                if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                    wakers.push(cx.waker().clone());
                }
                Poll::Pending
            }
        })
        .await
    }

    fn is_done(&self, done: Result<(), Refusal>) {
        self.done.set(Some(done));
        self.wakers.take().into_iter().for_each(Waker::wake);
    }
}

/// Opens one more connection, for whoever waits.
async fn open(endpoint: Rc<EndpointPool>, worker: Rc<Worker>, opening: Rc<Opening>) {
    worker.cells.upstream_connects.add(1);
    let opened = timeout(worker.config.upstream.connect_timeout, shake_hands(&endpoint, &worker)).await;
    let connections = &endpoint.http2;
    connections.opening.take();
    opening.is_done(match opened.unwrap_or(Err(Refusal::ConnectTimeout)) {
        Ok((sender, driver)) => {
            let driver = Rc::new(RefCell::new(driver));
            let driven = Rc::clone(&driver);
            tokio::task::spawn_local(poll_fn(move |cx| Pin::new(&mut *driven.borrow_mut()).poll(cx)));
            let (requests, has_carried) = (Cell::new(0), Cell::new(false));
            let used = Cell::new(worker.timers.now());
            let connection = Connection { sender, driver, requests, has_carried, used };
            connections.open.borrow_mut().push(Rc::new(connection));
            Ok(())
        }
        Err(why) => {
            worker.cells.upstream_connect_failures.add(1);
            Err(why)
        }
    });
}

type Driver = http2::Connection<TokioIo<Stream>, RequestBody, Local>;

/// Until it is known how many streams the endpoint takes: it says so first of all (RFC 9113 §3.4), and requests that come
/// before could wait behind others for as long as those last.
async fn shake_hands(
    endpoint: &EndpointPool,
    worker: &Worker,
) -> Result<(SendRequest<RequestBody>, Driver), Refusal> {
    let stream = dial(endpoint, None, &worker.overload).await?;
    let local = Local::default();
    let opened = builder(&worker.config.upstream, local.clone()).handshake(TokioIo::new(stream)).await;
    let (sender, mut driver) = opened.map_err(|_| Refusal::Connect)?;
    poll_fn(|cx| {
        local.0.set(Some(cx.waker().clone()));
        let ended = Pin::new(&mut driver).poll(cx).is_ready();
        match driver.current_max_send_streams() {
            _ if ended => Poll::Ready(Err(Refusal::Connect)),
            0 => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    })
    .await?;
    Ok((sender, driver))
}

fn builder(limits: &config::Upstream, local: Local) -> Builder<Local> {
    let window = limits.http2.stream_window_bytes;
    let streams = u32::try_from(limits.http2.streams_max).unwrap_or(u32::MAX);
    let mut builder = Builder::new(local);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(window)
        // All streams together: one whose client does not read must not hold up the others.
        .initial_connection_window_size(window.saturating_mul(streams).min(u32::MAX >> 1))
        .initial_max_send_streams(0)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_send_buf_size(limits.http2.send_buffer_bytes)
        .keep_alive_interval(limits.http2.ping_interval)
        .keep_alive_timeout(limits.http2.ping_timeout);
    builder
}

/// Runs what hyper has to run beside a connection where the connection is. One of these tasks reads what the endpoint says;
/// whoever waits for that is woken after each of its turns.
#[derive(Clone, Default)]
struct Local(Rc<Cell<Option<Waker>>>);

impl<F: Future<Output = ()> + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        let waiting = Rc::clone(&self.0);
        tokio::task::spawn_local(async move {
            let mut future = pin!(future);
            poll_fn(|cx| {
                let polled = future.as_mut().poll(cx);
                waiting.take().into_iter().for_each(Waker::wake);
                polled
            })
            .await;
        });
    }
}

/// A place for a request on one of the endpoint's connections. It waits while one is opened.
///
/// # Errors
/// As for a connection of HTTP/1: nothing was sent.
pub(crate) async fn take_place(
    client: &Rc<Client>,
    endpoint: &Rc<EndpointPool>,
    reuse: Reuse,
) -> Result<Place, Refusal> {
    let worker = &client.worker;
    loop {
        let streams_max = worker.config.upstream.http2.streams_max;
        if let Some(place) = endpoint.http2.place(reuse, worker.timers.now(), streams_max) {
            return Ok(place);
        }
        endpoint.http2.opening(endpoint, worker).wait(client).await?;
    }
}

impl Place {
    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &self,
        client: &Client,
        request: Request<RequestBody>,
    ) -> Result<Answered, Box<Unanswered>> {
        if request.method() == Method::CONNECT
            && !self.connection.driver.borrow().is_extended_connect_protocol_enabled()
        {
            let (why, request) = (Refusal::NoWebSocket, Some(request));
            return Err(Box::new(Unanswered { why, request, answered: false, unseen: true }));
        }
        let mut sender = self.connection.sender.clone();
        let mut sent = pin!(sender.try_send_request(request));
        let failed = |why, request, unseen| {
            Poll::Ready(Err(Box::new(Unanswered { why, request, answered: false, unseen })))
        };
        poll_fn(|cx| {
            match sent.as_mut().poll(cx) {
                Poll::Ready(Ok(response)) => return Poll::Ready(Ok(response)),
                Poll::Ready(Err(mut unsent)) => {
                    let unseen = is_unseen(unsent.error());
                    return failed(Refusal::UpstreamClosed, unsent.take_message(), unseen);
                }
                Poll::Pending => {}
            }
            // The body is read by another task, which this stream's deadlines do not wake.
            if client.is_stream && client.timer.expired(Wait::Client) {
                client.fault.set(Some(Refusal::BodyTimeout));
                return failed(Refusal::BodyTimeout, None, false);
            }
            if client.timer.expired(Wait::Upstream) || client.timer.expired(Wait::Request) {
                return failed(Refusal::ResponseTimeout, None, false);
            }
            Poll::Pending
        })
        .await
    }
}

/// Whether the endpoint says that it has not looked at the request (RFC 9113 §8.7): it refuses the stream, or its GOAWAY
/// names an earlier one as the last.
fn is_unseen(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        cause.is_remote() && (cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}
