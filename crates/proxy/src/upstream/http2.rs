//! Endpoints that speak HTTP/2: many requests share a connection, and there are as many connections as they need.
//!
//! Unlike one of HTTP/1 such a connection has a task of its own, since no single request could drive it for the others.
//! One at a time is opened for each endpoint; whoever needs it waits for the same one. Where there are as many as there may
//! be, requests wait until another one has left its place.

mod opening;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::{Method, Request};
use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::opening::{Driver, Opening};
use super::exchange::{Answered, Unanswered};
use super::pool::{EndpointPool, Reuse};
use crate::body::RequestBody;
use crate::connection::Client;
use crate::error::Refusal;
use crate::timer::Wait;

/// Connections of one endpoint, as one worker uses them.
#[derive(Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Rc<Connection>>>,
    opening: RefCell<Option<Rc<Opening>>>,
    /// Tells those who wait that there may be a place, or room for one more connection.
    freed: Rc<Notify>,
}

struct Connection {
    sender: SendRequest<RequestBody>,
    /// Knows how many streams the endpoint takes.
    driver: Rc<RefCell<Driver>>,
    requests: Cell<usize>,
    has_carried: Cell<bool>,
    /// When it last was given a request, or was seen with one.
    used: Cell<u32>,
    /// That of all connections of the endpoint.
    freed: Rc<Notify>,
}

/// A request's place on a connection, as long as it lasts.
pub(crate) struct Place {
    connection: Rc<Connection>,
    /// Whether the connection has carried an earlier request.
    pub(crate) reused: bool,
}

impl Connection {
    /// It carries nothing. One that never did has just been opened for somebody who is about to take his place.
    fn is_idle(&self) -> bool {
        self.requests.get() == 0 && self.has_carried.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connection.requests.set(self.connection.requests.get() - 1);
        self.connection.freed.notify_one();
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

    /// Whether there are as many as there may be. One that carries nothing makes room for another one.
    fn are_all_busy(&self, connections_max: usize) -> bool {
        let mut open = self.open.borrow_mut();
        if open.len() >= connections_max
            && let Some(idle) = open.iter().position(|connection| connection.is_idle())
        {
            open.swap_remove(idle);
        }
        open.len() >= connections_max
    }

    /// Lets go of all that carry nothing.
    pub(super) fn close_idle(&self) {
        self.open.borrow_mut().retain(|connection| !connection.is_idle());
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
        // An endpoint may have begun to take more requests on a connection, of which nobody is told.
        self.freed.notify_waiters();
    }

    /// Nothing begins on any of them any more; what has begun goes on.
    pub(super) fn retire(&self) {
        self.open.take();
        self.freed.notify_waiters();
    }
}

/// A place for a request on one of the endpoint's connections. It waits while one is opened, or until one is free.
///
/// # Errors
/// As for a connection of HTTP/1: nothing was sent. [`Refusal::EndpointBusy`]: there may be no more connections, and no
/// place became free in time.
pub(crate) async fn take_place(
    client: &Rc<Client>,
    endpoint: &Rc<EndpointPool>,
    reuse: Reuse,
) -> Result<Place, Refusal> {
    let (worker, connections) = (&client.worker, &endpoint.http2);
    let limits = &worker.config.upstream;
    let mut deadline = None;
    loop {
        let (now, streams_max) = (worker.timers.now(), limits.http2.streams_max);
        // Made before the look, so that what happens after it is not missed.
        let freed = connections.freed.notified();
        if let Some(place) = connections.place(reuse, now, streams_max) {
            return Ok(place);
        }
        let is_opening = connections.opening.borrow().is_some();
        if is_opening || !connections.are_all_busy(limits.http2.connections_max) {
            connections.opening(endpoint, worker).wait(client).await?;
            continue;
        }
        // All of them carry requests just now, so they live: a fresh one would be no safer.
        if let Some(place) = connections.place(Reuse::Any, now, streams_max) {
            return Ok(place);
        }
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + limits.connect_timeout);
        timeout_at(deadline, freed).await.map_err(|_| Refusal::EndpointBusy)?;
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
            if let Some(late) = client.is_too_late() {
                return failed(late, None, false);
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
