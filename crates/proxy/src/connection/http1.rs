//! A connection of HTTP/1: parked, serving, parked again, and at last closed so that nothing is lost.
//!
//! hyper speaks the protocol while requests are under way, and is taken apart when none has come for a moment.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::io::ClientIo;
use super::parking::Parked;
use super::{Open, Server, Woken, linger, park, peek};
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::request;
use crate::respond;
use crate::stream::Stream;
use crate::timer::Wait;
use crate::tunnel::Seat;

/// Silence after which an idle connection is parked. Shorter, and busy connections would be taken apart between two
/// requests; longer, and a burst of new ones would leave its memory behind.
const PARK_AFTER: Duration = Duration::from_millis(20);
/// Silence after which it needs no task any more.
const LEAVE_TASK_AFTER: Duration = Duration::from_millis(500);
/// hyper's read buffer: it must hold the largest head that the guard lets pass, and bounds what a body may buffer.
const READ_BUFFER_BYTES_MIN: usize = 128 << 10;

/// A connection of HTTP/1 in its task.
pub(super) struct Http1 {
    pub(super) stream: Stream,
    pub(super) client: Rc<Client>,
    pub(super) open: Open,
    /// Should nothing have been asked yet, what comes first may be HTTP/2.
    pub(super) may_begin_http2: bool,
}

impl Http1 {
    /// Lets it wait without a task.
    fn park(self) {
        let Http1 { stream, client, open, may_begin_http2 } = self;
        let idle_until = client.timer.deadline(Wait::Client);
        let server = Rc::clone(&open.server);
        let may_begin_http2 = may_begin_http2 && client.http1.requests.get() == 0;
        let known = Rc::into_inner(client).map(Client::into_known);
        let (Some(known), Ok(stream)) = (known, stream.unwatch()) else { return };
        let parked = Box::new(Parked { stream, known, open, may_begin_http2 });
        if let Err(parked) = server.parking.park(parked, idle_until) {
            resume(*parked, false);
        }
    }
}

/// Gives a parked connection a task again: there is something to read, or its idle time is over.
pub(super) fn resume(parked: Parked, is_over: bool) {
    let Parked { stream, known, open, may_begin_http2 } = parked;
    match stream.watch() {
        Ok(stream) => {
            let client = Rc::new(Client::new(&open.server.worker, known));
            let connection = Http1 { stream, client, open, may_begin_http2 };
            tokio::task::spawn_local(serve(connection, is_over));
        }
        Err(error) => tracing::warn!(%error, "a parked connection cannot be watched; it is closed"),
    }
}

/// Serves a connection of HTTP/1 until it has long been silent, or to its end. `is_over`: its idle time is.
pub(super) fn serve(connection: Http1, is_over: bool) -> impl Future<Output = ()> {
    let Http1 { stream, client, open, may_begin_http2 } = connection;
    let mut idle_for = if is_over { Duration::ZERO } else { client.worker.config.idle_timeout };
    let (mut io, seat) = (ClientIo::new(stream, Rc::clone(&client)), Seat::default());
    async move {
        let mut owed = None;
        loop {
            match park(io.stream(), &client, idle_for, Some(LEAVE_TASK_AFTER)).await {
                Woken::Readable => idle_for = client.worker.config.idle_timeout,
                Woken::Idle => break,
                Woken::Silent => {
                    return Http1 { stream: io.into_stream(), client, open, may_begin_http2 }.park();
                }
            }
            if let Err(why) = Box::pin(peek::request(io.stream(), &client)).await {
                owed = Some(why);
                break;
            }
            let (driven, end) = Box::pin(drive(io, &open.server, &client, &seat)).await;
            io = driven;
            if let Some(tunnel) = seat.take() {
                Box::pin(tunnel.run(io.stream())).await;
                break;
            }
            match end {
                End::Idle => continue,
                End::Done => owed = client.http1.unanswered_fault(),
                End::Refused(why) => owed = Some(why),
                End::Stalled => client.http1.abort.set(true),
            }
            break;
        }
        if owed == Some(Refusal::NotHttp) && may_begin_http2 && client.http1.requests.get() == 0 {
            // No preface of HTTP/2 either: it would understand an answer in neither (RFC 9113 §3.4 asks for an end only).
            respond::record(&client, Refusal::NotHttp);
            owed = None;
        }
        close(io.stream(), &client, owed).await;
    }
}

/// Why hyper serves a connection no longer.
pub(super) enum End {
    /// Nothing is in flight and nothing is buffered: it can be parked.
    Idle,
    /// hyper is done with it.
    Done,
    /// The next head is refused, and all requests before it are answered.
    Refused(Refusal),
    /// The client does not take what is written to it.
    Stalled,
}

/// Lets hyper serve requests until the connection is idle or ends. hyper's connection is made before there is a future, which
/// would else keep room for what it is made of, too.
pub(super) fn drive<'c>(
    io: ClientIo,
    server: &'c Server,
    client: &'c Rc<Client>,
    seat: &'c Seat,
) -> impl Future<Output = (ClientIo, End)> {
    let limits = client.limits();
    let service = service_fn(move |request| {
        request::serve(&server.upstreams, Carrier::next_on(client), request, Some(seat))
    });
    let mut connection = http1::Builder::new()
        .max_buf_size(READ_BUFFER_BYTES_MIN.max(2 * limits.head_bytes_max))
        .max_headers(limits.head_fields_max)
        .serve_connection(TokioIo::new(io), service);
    async move {
        // The task is the same at each poll, and so is what wakes it.
        poll_fn(|cx| {
            client.timer.attach(cx);
            Poll::Ready(())
        })
        .await;
        let end = poll_fn(|cx| {
            client.check_deadline();
            if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
                note_parse_error(result, client);
                return Poll::Ready(End::Done);
            }
            after_poll(client)
        })
        .await;
        client.timer.clear(Wait::Park);
        let parts = connection.into_parts();
        debug_assert!(
            !matches!(end, End::Idle) || parts.read_buf.is_empty(),
            "the guard said that nothing is buffered"
        );
        (parts.io.into_inner(), end)
    }
}

/// hyper waits for something; whether that is worth waiting for.
fn after_poll(client: &Client) -> Poll<End> {
    if let Some(why) = client.http1.refused_head() {
        return Poll::Ready(End::Refused(why));
    }
    if client.timer.expired(Wait::Write) {
        // Noted here, because the request's record is closed together with hyper's connection.
        client.http1.fault.set(Some(Refusal::ClientStalled));
        return Poll::Ready(End::Stalled);
    }
    // It had closed its side before its last answer, which hyper was not told. Or it still sends a body that an endpoint of
    // HTTP/2 has answered and reads no more, for which hyper would wait.
    if client.http1.is_at_rest() && (client.http1.eof.get() || client.http1.body_is_unread()) {
        return Poll::Ready(End::Done);
    }
    if !client.http1.is_idle() {
        client.timer.clear(Wait::Park);
        return Poll::Pending;
    }
    client.timer.start(Wait::Park, PARK_AFTER);
    if client.timer.expired(Wait::Park) { Poll::Ready(End::Idle) } else { Poll::Pending }
}

/// hyper answers by itself what it cannot parse and the guard let pass; it is counted all the same.
fn note_parse_error(result: hyper::Result<()>, client: &Client) {
    if let Err(error) = result
        && error.is_parse()
        && client.http1.reads_on()
    {
        client.http1.fault.set(Some(Refusal::BadRequest));
        respond::record(client, Refusal::BadRequest);
    }
}

/// Ends the connection: answers what is owed, and makes sure that what was sent arrives.
pub(super) async fn close(stream: &mut Stream, client: &Rc<Client>, owed: Option<Refusal>) {
    client.timer.clear(Wait::Write);
    match owed {
        _ if client.http1.eof.get() => return,
        Some(why) if client.http1.flushed.get() => {
            respond::record(client, why);
            client.http1.abort.set(false);
            linger::write(stream, client, &respond::raw(why)).await;
        }
        // In the middle of an earlier response nothing else can be said.
        Some(_) => return,
        None if client.http1.abort.get() => return,
        None => {}
    }
    // A process that leaves waits until its answers have arrived: what they come through may end with it.
    let may_end = owed.is_none() && client.http1.is_left() && !client.worker.drain.is_draining();
    if !(may_end && linger::end(stream).await) {
        linger::wait(stream, client).await;
    }
}
