//! A request's slot on a connection that others share: how it is sent, and what is known of it when no answer comes.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::{Method, Request};

use super::Connection;
use super::opening::Driver;
use crate::client::Carrier;
use crate::error::Refusal;
use crate::timer::Wait;
use crate::upstream::body::RequestBody;
use crate::upstream::http1::Unanswered;
use crate::upstream::{AnswerBody, Answered};

/// How long others are preferred to a connection on which a request was refused.
const FULL: Duration = Duration::from_secs(1);

/// A request's slot on a connection, as long as it lasts.
pub(crate) struct StreamSlot {
    stream: Rc<OpenStream>,
    /// Whether the connection has carried an earlier request.
    pub(crate) reused: bool,
    /// Whether it is too young to have died while it was idle.
    pub(crate) fresh: bool,
}

/// One of the streams that the endpoint takes at a time. It is open until the answer and the request's body have ended.
pub(crate) struct OpenStream(Rc<Connection>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.requests.set(self.0.requests.get() - 1);
        self.0.freed.notify_one();
    }
}

impl StreamSlot {
    /// Takes one on a connection that has one. Connections are fresh that were opened since there were so many.
    pub(super) fn take(connection: Rc<Connection>, opened: u64) -> StreamSlot {
        connection.requests.set(connection.requests.get() + 1);
        let reused = connection.has_carried.replace(true);
        let fresh = !reused || connection.place >= opened;
        StreamSlot { reused, fresh, stream: Rc::new(OpenStream(connection)) }
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &self,
        carrier: &Carrier,
        mut request: Request<RequestBody>,
    ) -> Result<Answered, Box<Unanswered<Request<RequestBody>>>> {
        let connection = &*self.stream.0;
        if request.method() == Method::CONNECT && !connection.takes_tunnels() {
            let (why, unsent) = (Refusal::NoWebSocket, Some(request));
            return Err(Box::new(Unanswered { why, unsent, answered: false, unseen: true }));
        }
        let mut sender = connection.sender.clone();
        let mut turn = Turn::take(connection);
        request.body_mut().hold(Some(Rc::clone(&self.stream)));
        let mut sent = pin!(sender.try_send_request(request));
        let failed = |why, unsent, unseen| {
            Poll::Ready(Err(Box::new(Unanswered { why, unsent, answered: false, unseen })))
        };
        poll_fn(|cx| {
            match sent.as_mut().poll(cx) {
                Poll::Ready(Ok(response)) => {
                    turn.is_decided = true;
                    return Poll::Ready(Ok(response.map(AnswerBody::Stream)));
                }
                Poll::Ready(Err(mut unsent)) => {
                    turn.is_decided = is_of_the_connection(unsent.error());
                    let refused = Refused::find(unsent.error());
                    if refused == Some(Refused::Stream) {
                        connection.full_until.set(carrier.worker().timers.after(FULL));
                    }
                    let unwritten = turn.is_decided && connection.seen.is_over() && !turn.may_be_written();
                    let mut request = unsent.take_message();
                    request.iter_mut().for_each(|request| request.body_mut().hold(None));
                    return failed(Refusal::UpstreamClosed, request, refused.is_some() || unwritten);
                }
                Poll::Pending => {}
            }
            // The body is read by another task, which this stream's deadlines do not wake.
            if carrier.is_stream() && carrier.timer().expired(Wait::Client) {
                carrier.fail(Refusal::BodyTimeout);
                return failed(Refusal::BodyTimeout, None, false);
            }
            if let Some(late) = carrier.is_too_late() {
                return failed(late, None, false);
            }
            Poll::Pending
        })
        .await
    }
}

impl Connection {
    /// Whether the endpoint takes what asks for a tunnel (RFC 8441 §3).
    fn takes_tunnels(&self) -> bool {
        self.driver.borrow().as_ref().is_some_and(Driver::is_extended_connect_protocol_enabled)
    }
}

/// A request's turn to be written, among those that hyper was handed on a connection.
struct Turn<'a> {
    connection: &'a Connection,
    place: u64,
    /// Whether it is over by the connection's doing, and not because it was given up.
    is_decided: bool,
}

impl Turn<'_> {
    fn take(connection: &Connection) -> Turn<'_> {
        let handed = &connection.handed;
        if connection.requests.get() == 1 {
            // Whatever is still written of earlier ones makes more of these look written than were.
            handed.requests.set(0);
            handed.given_up.set(0);
            connection.seen.count_anew();
        }
        handed.requests.set(handed.requests.get() + 1);
        Turn { connection, place: handed.requests.get(), is_decided: false }
    }

    /// Whether any of it may have been written. Of those that were given up hyper may have passed over some.
    fn may_be_written(&self) -> bool {
        self.connection.seen.written() + self.connection.handed.given_up.get() >= self.place
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let (handed, seen) = (&self.connection.handed, &self.connection.seen);
        if !self.is_decided && seen.written() < self.place {
            handed.given_up.set(handed.given_up.get() + 1);
        }
    }
}

/// Whether a request failed by what happened on its connection. What hyper does not take is passed over.
fn is_of_the_connection(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_none_or(|cause| cause.is_io() || cause.is_go_away() || cause.is_remote())
}

/// How an endpoint says that it has not looked at a request (RFC 9113 §8.7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// It resets the stream for that reason.
    Stream,
    /// Its GOAWAY names an earlier one as the last.
    Connection,
}

impl Refused {
    fn find(error: &hyper::Error) -> Option<Refused> {
        let cause = error.source()?.downcast_ref::<h2::Error>().filter(|cause| cause.is_remote())?;
        match cause.reason() {
            _ if cause.is_go_away() => Some(Refused::Connection),
            Some(h2::Reason::REFUSED_STREAM) => Some(Refused::Stream),
            _ => None,
        }
    }
}
