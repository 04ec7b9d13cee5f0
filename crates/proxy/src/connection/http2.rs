//! A client that speaks HTTP/2: many requests on one connection, each with deadlines of its own.
//!
//! hyper and h2 speak the protocol. What they do not do is done here: who leaves a stream unread, a body unsent or the
//! connection idle is not waited for without end; who sends nothing but noise is cut, and who sends much takes turns with
//! others; and a drain says goodbye in two steps (RFC 9113 §6.8), at a moment that differs from connection to connection,
//! so that not all clients come back at once.

pub(crate) mod budget;
pub(crate) mod field_blocks;
pub(crate) mod frames;
mod io;
mod streams;
pub(crate) mod turn;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lifecycle::{Phase, Watch};

use self::io::Http2Io;
use self::streams::Streams;
use self::turn::Turn;
use super::Client;
use crate::request;
use crate::stream::Stream;
use crate::timer::{Wait, ticks};

/// How a connection with prior knowledge begins (RFC 9113 §3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Connections are told to leave within this time from the beginning of a drain: at once, and a thousand clients would
/// come back in the same moment.
const GOODBYE_SPREAD: Duration = Duration::from_secs(10);
/// Streams of one connection that may end because the client broke the rules: each costs it a frame, and us a request
/// begun and reset (CVE-2025-8671).
const STREAM_ERRORS_MAX: usize = 64;
/// From the goodbye of a connection that carries nothing to its end. A client that is there answers within a round trip. One
/// that was served a moment ago may still wait for the end of its answer, which h2 has and hyper knows nothing of: it has as
/// long as for any other piece of it (`write_timeout`).
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(5);

/// Serves a connection to its end.
pub(super) async fn serve(stream: Stream, client: &Rc<Client>) {
    let limits = &client.worker.config.downstream;
    let streams = Streams::new(client);
    let opened = streams.clone();
    let service = service_fn(move |request| request::serve(opened.open(), request));
    let window = u32::try_from(limits.http2.window_bytes).unwrap_or(u32::MAX >> 1);
    let turn = Rc::new(Turn::new());
    let io = Http2Io::new(stream, Rc::clone(client), Rc::clone(&turn));
    let connection = Builder::new(streams.clone())
        .max_concurrent_streams(limits.http2.streams_max)
        .initial_stream_window_size(window.min(limits.http2.stream_window_bytes))
        .initial_connection_window_size(window)
        .max_send_buf_size(limits.http2.send_buffer_bytes)
        .max_local_error_reset_streams(STREAM_ERRORS_MAX)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        // For WebSocket (RFC 8441 §3).
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    let mut leave = pin!(goodbye(client.worker.drain.clone()));
    let (mut said, mut carried_at) = (false, None);
    poll_fn(|cx| {
        client.timer.attach(cx);
        streams.attach(cx);
        turn.begin();
        if connection.as_mut().poll(cx).is_ready() || client.timer.expired(Wait::Write) {
            return Poll::Ready(());
        }
        if !said && (leave.as_mut().poll(cx).is_ready() || is_idle_for_long(client, &streams)) {
            said = true;
            client.timer.clear(Wait::Client);
            connection.as_mut().graceful_shutdown();
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if turn.has_carried() || !streams.none_is_open() {
            client.timer.clear(Wait::Client);
            carried_at = Some(client.worker.timers.now());
        }
        if !streams.none_is_open() {
            return Poll::Pending;
        }
        // Whoever carries nothing after the goodbye, and does not answer it, is gone.
        let has_just_carried =
            carried_at.is_some_and(|at| client.worker.timers.now() - at < ticks(limits.write_timeout));
        let most = match (said, has_just_carried) {
            (false, _) => client.worker.config.idle_timeout,
            (true, false) => GOODBYE_TIME_MAX,
            (true, true) => limits.write_timeout,
        };
        client.timer.start(Wait::Client, most);
        if said && client.timer.expired(Wait::Client) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Ends when this connection is to be told that it should leave.
async fn goodbye(mut drain: Watch) {
    drain.lasted(Phase::LameDuck, GOODBYE_SPREAD.mul_f64(fastrand::f64())).await;
}

/// The last stream has closed long ago, or none was ever opened.
fn is_idle_for_long(client: &Client, streams: &Streams) -> bool {
    streams.none_is_open() && client.timer.expired(Wait::Client)
}
