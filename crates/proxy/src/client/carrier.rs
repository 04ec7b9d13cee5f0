//! What carries an exchange: a connection of HTTP/1, or one stream of a connection of HTTP/2.
//!
//! All that differs between the two is decided here, by a look at which of them it is.

use std::rc::Rc;

use http::Version;
use http::header::{self, HeaderMap, HeaderValue};
use hyper::body::Incoming;

use super::{Client, Http2Stream, RequestState};
use crate::error::Refusal;
use crate::timer::{Timer, Wait};
use crate::worker::Worker;

/// A request's hold on what carries it.
#[derive(Clone)]
pub(crate) enum Carrier {
    /// The connection, and how far the request has come that this one belongs to.
    Connection(Rc<Client>, Rc<RequestState>),
    /// A stream, which carries no other.
    Stream(Rc<Http2Stream>),
}

impl Carrier {
    /// A connection that is to carry its next request.
    pub(crate) fn next_on(client: &Rc<Client>) -> Carrier {
        client.timer.clear(Wait::Park);
        Carrier::Connection(Rc::clone(client), client.http1.begin())
    }

    pub(crate) fn client(&self) -> &Client {
        match self {
            Carrier::Connection(client, _) => client,
            Carrier::Stream(stream) => &stream.client,
        }
    }

    pub(crate) fn worker(&self) -> &Rc<Worker> {
        &self.client().worker
    }

    /// The deadlines of the task that serves the request.
    pub(crate) fn timer(&self) -> &Timer {
        match self {
            Carrier::Connection(client, _) => &client.timer,
            Carrier::Stream(stream) => &stream.timer,
        }
    }

    /// How far the request has come.
    pub(crate) fn request(&self) -> &RequestState {
        match self {
            Carrier::Connection(_, request) => request,
            Carrier::Stream(stream) => &stream.request,
        }
    }

    /// Whether it is one stream among others, whose connection is not its own.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Carrier::Stream(_))
    }

    /// Begins the time in which an endpoint must answer. One that is called may be silent for as long as the caller waits:
    /// many servers send no head before the first message of a stream.
    pub(crate) fn await_head(&self) {
        if self.request().is_grpc.get() {
            self.timer().clear(Wait::Upstream);
        } else {
            let own = self.request().response_timeout();
            let time = own.unwrap_or(self.worker().config.upstream.head_timeout);
            self.timer().set(Wait::Upstream, time);
        }
    }

    /// Begins the time in which an endpoint must take more of a body: its route's own, or as long as it may take to answer.
    pub(crate) fn await_taking(&self) {
        match self.request().send_timeout().filter(|_| !self.request().is_grpc.get()) {
            Some(time) => self.timer().set(Wait::Upstream, time),
            None => self.await_head(),
        }
    }

    /// Begins the time in which there must be an answer, over all attempts: no shorter than the route gives to one of them.
    pub(crate) fn await_answer(&self) {
        let (own, time) = (self.request().response_timeout(), self.worker().config.max_request_time);
        self.timer().set(Wait::Request, own.map_or(time, |own| own.max(time)));
    }

    /// Whether an answer would come too late.
    pub(crate) fn is_too_late(&self) -> Option<Refusal> {
        let timer = self.timer();
        if timer.expired(Wait::Call) {
            return Some(Refusal::CallTimeout);
        }
        let late = timer.expired(Wait::Upstream) || timer.expired(Wait::Request);
        late.then_some(Refusal::ResponseTimeout)
    }

    /// The client's fault, if it lies in this request.
    pub(crate) fn fault(&self) -> Option<Refusal> {
        let fault = self.request().fault.get();
        match self {
            Carrier::Connection(client, _) => fault.or_else(|| client.http1.fault_in_body()),
            Carrier::Stream(_) => fault,
        }
    }

    /// Nothing more of the request's body is read.
    pub(crate) fn fail(&self, why: Refusal) {
        self.request().fault.set(Some(why));
    }

    /// No endpoint wants more of the body. What is left of one of HTTP/1 is read when hyper is gone.
    pub(crate) fn leave_unread(&self, body: Incoming) {
        match self {
            // The connection may wait for the end of it.
            Carrier::Connection(client, _) if client.timer.is_set(Wait::Linger) => client.timer.wake(),
            Carrier::Connection(..) => {}
            Carrier::Stream(stream) => stream.leave_unread(body),
        }
    }

    /// So many bytes of the body have come. With HTTP/1 the socket knows.
    pub(crate) fn earn_patience(&self, bytes: usize) {
        if let Carrier::Stream(stream) = self {
            let client = &stream.client;
            stream.patience.earn(bytes, &stream.timer, client.now(), client.limits());
        }
    }

    /// Nothing of the body comes, for which an endpoint waits: whether that has lasted for too long. With HTTP/1 the socket
    /// knows; with HTTP/2 each body has its own time. In a call of gRPC a client may only listen, and once it is answered,
    /// the endpoint's silence is what counts.
    pub(crate) fn is_out_of_patience(&self) -> bool {
        let Carrier::Stream(stream) = self else { return false };
        if stream.request.is_grpc.get() || stream.request.is_answered.get() {
            return false;
        }
        stream.patience.wait(&stream.timer, stream.client.now());
        stream.timer.expired(Wait::Client)
    }

    /// Holds the room that the head of a stream's request takes.
    ///
    /// # Errors
    /// [`Refusal::Heads`].
    pub(crate) fn hold_head(&self, bytes: usize) -> Result<(), Refusal> {
        match self {
            Carrier::Connection(..) => Ok(()),
            Carrier::Stream(stream) => stream.heads.hold(bytes, stream.client.limits().http2.heads_bytes_max),
        }
    }

    /// The request broke a rule, which on a shared connection must not come cheap.
    pub(crate) fn fine(&self) {
        if let Carrier::Stream(stream) = self {
            stream.client.fines.set(stream.client.fines.get() + 1);
        }
    }

    /// The answer that is under way cannot be completed: the client must see that it is cut. A stream is reset.
    pub(crate) fn abort(&self) {
        if let Carrier::Connection(client, _) = self {
            client.http1.abort.set(true);
        }
    }

    /// Whether there is room for more of the answer.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Carrier::Connection(client, _) => client.http1.backlog.has_room(),
            // hyper asks for nothing without a window.
            Carrier::Stream(_) => true,
        }
    }

    /// Whether the client takes what it is sent as fast as that comes.
    pub(crate) fn reads_as_fast_as_we_write(&self) -> bool {
        match self {
            Carrier::Connection(client, _) => client.http1.backlog.is_in_step(),
            Carrier::Stream(_) => true,
        }
    }

    /// So many bytes of the answer wait for the client.
    pub(crate) fn put(&self, bytes: usize) {
        if let Carrier::Connection(client, _) = self {
            client.http1.backlog.put(bytes);
        }
    }

    /// All that was written is with the kernel.
    pub(crate) fn all_flushed(&self) {
        if let Carrier::Connection(client, _) = self {
            client.http1.all_flushed();
        }
    }

    /// What was said behind the request that is being served, before the protocol is spoken that it asks for. None if that
    /// was read as something else.
    pub(crate) fn take_early(&self) -> Option<Vec<u8>> {
        match self {
            Carrier::Connection(client, _) if client.http1.holds_early() => {
                Some(std::mem::take(client.http1.guard.borrow_mut().held()))
            }
            _ => None,
        }
    }

    /// Whether that is kept.
    pub(crate) fn holds_early(&self) -> bool {
        matches!(self, Carrier::Connection(client, _) if client.http1.holds_early())
    }

    /// No other protocol was wanted: what stands behind the request is the next one.
    pub(crate) fn keep_protocol(&self) {
        match self {
            Carrier::Connection(client, _) if client.http1.holds_early() => {
                client.http1.guard.borrow_mut().release();
            }
            _ => {}
        }
    }

    /// The other protocol was not agreed to. Of a client that has waited for this the next request is served; what another has
    /// said already is no request, whatever it looks like, and the connection ends.
    pub(crate) fn refuse_protocol(&self) {
        if let Carrier::Connection(client, _) = self
            && client.http1.holds_early()
        {
            let mut guard = client.http1.guard.borrow_mut();
            if guard.held().is_empty() {
                guard.release();
            }
        }
    }

    /// Whether the connection can serve no further request, so that the response under way must say so.
    pub(crate) fn must_close(&self) -> bool {
        match self {
            Carrier::Connection(client, request) => {
                request.body_unread.get() || client.worker.drain.is_draining() || client.http1.holds_early()
            }
            Carrier::Stream(_) => false,
        }
    }

    /// Says in the head of a response that it is the last one. To a client of HTTP/1.0 in its own version: in ours, hyper
    /// would add that the connection is kept.
    pub(crate) fn say_close(&self, headers: &mut HeaderMap, version: &mut Version) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if self.request().speaks_http10.get() {
            *version = Version::HTTP_10;
        }
    }
}
