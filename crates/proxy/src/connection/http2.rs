//! A client that speaks HTTP/2: many requests on one connection, each with deadlines of its own.
//!
//! hyper and h2 speak the protocol. What they do not do is done here: a client that leaves a stream unread, a body unsent or
//! the connection idle is not waited for without end; one that sends nothing but noise is cut, and one that sends much takes
//! turns with others; and a drain says goodbye at a moment that costs no request, see [`goodbye`], and that differs from
//! connection to connection.

pub(crate) mod budget;
pub(crate) mod field_blocks;
mod goodbye;
mod io;
mod open;
mod rest;
mod streams;
pub(crate) mod turn;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use self::goodbye::{GOODBYE_GRACE, GOODBYE_QUIET, GOODBYE_TIME_MAX, Goodbye, Stage};
use self::io::Http2Io;
use self::streams::Streams;
use self::turn::Turn;
use super::Server;
use crate::client::{Carrier, Client};
use crate::request;
use crate::stream::Stream;
use crate::timer::{TICK, Wait, ticks};

/// Streams of one connection that may end because the client broke the rules: each costs it a frame, and us a request
/// begun and reset (CVE-2025-8671).
const STREAM_ERRORS_MAX: usize = 64;

/// Serves a connection to its end. hyper's connection is made before there is a future, which would else keep room for what it
/// is made of, too.
pub(super) fn serve<'c>(
    stream: Stream,
    server: &Rc<Server>,
    client: &'c Rc<Client>,
) -> impl Future<Output = ()> + use<'c> {
    let limits = client.limits();
    let streams = Streams::new(client);
    let turn = Rc::new(Turn::new());
    let goodbye = Rc::new(Goodbye::default());
    let (opened, begun, upstreams) = (streams.clone(), Rc::clone(&turn), Rc::clone(&server.upstreams));
    let service = service_fn(move |request| {
        let carrier = Carrier::Stream(opened.open(begun.take_begun()));
        request::serve(&upstreams, carrier, request, None)
    });
    let window = u32::try_from(limits.http2.window_bytes).unwrap_or(u32::MAX >> 1);
    let io =
        Http2Io::new(stream, Rc::clone(server), Rc::clone(client), Rc::clone(&turn), Rc::clone(&goodbye));
    let mut connection = Builder::new(streams.clone())
        .max_concurrent_streams(limits.http2.streams_max)
        .initial_stream_window_size(window.min(limits.http2.stream_window_bytes))
        .initial_connection_window_size(window)
        .max_send_buf_size(limits.http2.send_buffer_bytes)
        .max_local_error_reset_streams(STREAM_ERRORS_MAX)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        // For WebSocket (RFC 8441 §3).
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(io), service);
    async move {
        let mut lead = pin!(goodbye.lead(client.worker.drain.clone(), &limits.http2));
        let (mut is_led, mut silence) = (false, Silence::new(client, &goodbye));
        poll_fn(|cx| {
            client.timer.attach(cx);
            streams.attach(cx);
            turn.begin();
            if turn.poll(Pin::new(&mut connection), cx).is_ready() || client.timer.expired(Wait::Write) {
                return Poll::Ready(());
            }
            if !is_led && lead.as_mut().poll(cx).is_ready() {
                is_led = true;
                if goodbye.ask() {
                    Pin::new(&mut connection).graceful_shutdown();
                }
                cx.waker().wake_by_ref();
            }
            if silence.is_ignored() && goodbye.insist() {
                Pin::new(&mut connection).graceful_shutdown();
                cx.waker().wake_by_ref();
            }
            let is_served = !streams.none_is_open();
            if turn.has_carried() || is_served {
                silence.is_broken();
            }
            match silence.end(is_served) {
                Some(Stage::Ended) => return Poll::Ready(()),
                Some(stage) => {
                    goodbye.stage.set(stage);
                    cx.waker().wake_by_ref();
                }
                None => {}
            }
            Poll::Pending
        })
        .await;
    }
}

/// How long nothing is carried, and what is to come of it.
struct Silence<'a> {
    client: &'a Client,
    goodbye: &'a Goodbye,
    /// When something was carried, or the connection began.
    since: u32,
    has_carried: bool,
    /// What the deadline is for.
    stage: Stage,
    /// Since when the client knows that it should leave.
    told_at: Option<u32>,
}

impl<'a> Silence<'a> {
    fn new(client: &'a Client, goodbye: &'a Goodbye) -> Silence<'a> {
        let since = client.now();
        Silence { client, goodbye, since, has_carried: false, stage: Stage::Staying, told_at: None }
    }

    /// Whether the client has been told for so long that it should leave, and goes on all the same.
    fn is_ignored(&mut self) -> bool {
        if !matches!(self.goodbye.stage.get(), Stage::Told | Stage::Ending) {
            return false;
        }
        let now = self.client.now();
        let wait = self.client.limits().http2.goodbye_wait;
        now - *self.told_at.get_or_insert(now) >= ticks(wait)
    }

    fn is_broken(&mut self) {
        self.client.timer.clear(Wait::Client);
        (self.since, self.has_carried) = (self.client.now(), true);
        // What was on its way all the same may not be the last.
        if self.goodbye.is(Stage::Ending) {
            self.goodbye.stage.set(Stage::Told);
        }
    }

    /// The next stage, if this one has lasted long enough; the last means that the client is gone.
    fn end(&mut self, is_served: bool) -> Option<Stage> {
        let stage = self.goodbye.stage.get();
        if stage != std::mem::replace(&mut self.stage, stage) {
            self.client.timer.clear(Wait::Client);
        }
        if is_served || stage == Stage::Ended {
            return None;
        }
        self.client.timer.start(Wait::Client, self.most(stage));
        if !self.client.timer.expired(Wait::Client) {
            return None;
        }
        self.client.timer.clear(Wait::Client);
        Some(match stage {
            Stage::Staying | Stage::Due => Stage::Telling,
            Stage::Told if !self.goodbye.is_open.get() => Stage::Ending,
            _ => Stage::Ended,
        })
    }

    fn most(&self, stage: Stage) -> Duration {
        let config = &self.client.worker.config;
        let silence = self.client.now() - self.since;
        // The end of an answer may wait for the client.
        let has_just_carried = self.has_carried && silence < ticks(config.downstream.write_timeout);
        match stage {
            Stage::Staying => config.idle_timeout,
            Stage::Due if !self.goodbye.is_open.get() => GOODBYE_QUIET.saturating_sub(TICK * silence),
            Stage::Told if !self.goodbye.is_open.get() => GOODBYE_GRACE,
            Stage::Due | Stage::Told => config.downstream.write_timeout,
            Stage::Asked if has_just_carried => config.downstream.write_timeout,
            _ => GOODBYE_TIME_MAX,
        }
    }
}
