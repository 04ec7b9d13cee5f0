//! How one more connection of HTTP/2 is opened: one at a time for each endpoint, and all that need it wait for the same one.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};

use hyper::client::conn::http2::{self, Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;

use super::super::body::RequestBody;
use super::super::connect::dial;
use super::super::pool::EndpointPool;
use super::watched::{Seen, WatchedIo};
use super::{Connection, Connections, Handed};
use crate::client::Carrier;
use crate::config;
use crate::error::Refusal;
use crate::keepalive::{watch, watch_shared};
use crate::timer::Wait;
use crate::worker::Worker;

/// A connection that is being opened, and what waits for it.
#[derive(Default)]
pub(super) struct Opening {
    done: Cell<Option<Result<(), Refusal>>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Opening {
    pub(super) async fn wait(&self, carrier: &Carrier) -> Result<(), Refusal> {
        poll_fn(|cx| match self.done.get() {
            Some(done) => Poll::Ready(done),
            None if carrier.timer().expired(Wait::Request) || carrier.timer().expired(Wait::Call) => {
                Poll::Ready(Err(Refusal::ConnectTimeout))
            }
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

impl Connections {
    /// The connection that is being opened; begins one if there is none.
    pub(super) fn opening(&self, endpoint: &Rc<EndpointPool>, worker: &Rc<Worker>) -> Rc<Opening> {
        let mut opening = self.opening.borrow_mut();
        Rc::clone(opening.get_or_insert_with(|| {
            let opening = Rc::<Opening>::default();
            let task = open(Rc::clone(endpoint), Rc::clone(worker), Rc::clone(&opening));
            tokio::task::spawn_local(task);
            opening
        }))
    }
}

impl Connections {
    /// From here on it can be chosen, until it ends.
    fn add(&self, opened: Opened, now: u32) {
        let Opened { sender, driver, seen } = opened;
        let driver = Rc::new(RefCell::new(Some(driver)));
        let driving = tokio::task::spawn_local(drive(Rc::clone(&driver), Rc::clone(&seen)));
        let connection = Connection {
            sender,
            driver,
            driving: driving.abort_handle(),
            seen,
            place: self.opened.replace(self.opened.get() + 1),
            requests: Cell::new(0),
            has_carried: Cell::new(false),
            used: Cell::new(now),
            full_until: Cell::new(now),
            handed: Handed { written: Cell::new((0, now)), ..Handed::default() },
            freed: Rc::clone(&self.freed),
        };
        self.open.borrow_mut().push(Rc::new(connection));
    }
}

/// Drives a connection until it ends. What hyper keeps back then is given up with its end of the connection, or the requests
/// would wait for ever.
async fn drive(driver: Rc<RefCell<Option<Driver>>>, seen: Rc<Seen>) {
    poll_fn(|cx| match &mut *driver.borrow_mut() {
        Some(driver) => Pin::new(driver).poll(cx).map(drop),
        None => Poll::Ready(()),
    })
    .await;
    driver.take();
    seen.leave();
}

/// Opens one more connection, for all that wait.
async fn open(endpoint: Rc<EndpointPool>, worker: Rc<Worker>, opening: Rc<Opening>) {
    worker.cells.upstream_connects.add(1);
    let opened = timeout(worker.config.upstream.connect_timeout, handshake(&endpoint, &worker)).await;
    let connections = &endpoint.http2;
    connections.opening.take();
    opening.is_done(match opened.unwrap_or(Err(Refusal::ConnectTimeout)) {
        Ok(opened) => {
            connections.add(opened, worker.timers.now());
            Ok(())
        }
        Err(why) => {
            worker.cells.upstream_connect_failures.add(1);
            Err(why)
        }
    });
    connections.freed.notify_waiters();
}

pub(super) type Driver = http2::Connection<TokioIo<WatchedIo>, RequestBody, Local>;

/// A connection that requests can be sent on.
struct Opened {
    sender: SendRequest<RequestBody>,
    driver: Driver,
    seen: Rc<Seen>,
}

/// Until it is known how many streams the endpoint takes: it says so first of all (RFC 9113 §3.4), and requests that come
/// before could wait behind others for as long as those last.
async fn handshake(endpoint: &EndpointPool, worker: &Worker) -> Result<Opened, Refusal> {
    let stream = dial(endpoint, None, &worker.overload).await?;
    let limits = &worker.config.upstream;
    let _ = watch(stream.socket(), limits.keepalive_interval)
        .and_then(|()| watch_shared(stream.socket(), limits.http2.ping_timeout));
    let local = Local::default();
    let seen = Seen::new(Rc::clone(&endpoint.http2.freed));
    let io = TokioIo::new(WatchedIo::new(stream, Rc::clone(&seen)));
    let opened = builder(&worker.config.upstream, local.clone()).handshake(io).await;
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
    Ok(Opened { sender, driver, seen })
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
/// what waits for that is woken after each of its turns.
#[derive(Clone, Default)]
pub(super) struct Local(Rc<Cell<Option<Waker>>>);

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
