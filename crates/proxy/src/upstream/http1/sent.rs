//! A request that was sent, until the head of its answer has come, and what comes before that: interim responses (RFC 9110
//! §15.2), such as 103, which are passed on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Response, StatusCode, Version};

use super::answer::{Head, HeadReader, append};
use super::head::{BodyFraming, RequestHead};
use super::sending::Sending;
use super::{Broken, Http1Connection, Stage, Unanswered};
use crate::client::Carrier;
use crate::error::Refusal;
use crate::upstream::{AnswerBody, Answered, RequestBody};

/// Bytes of interim responses and of what comes with the head, beside those of the head itself: they could come for ever.
const BYTES_BESIDE_MAX: usize = 64 << 10;
/// Bytes of an interim response that is passed on.
const INTERIM_BYTES_MAX: usize = 16 << 10;
/// Those that are passed on for one request, more than anything has a use for: each costs us and its client a head.
const INTERIMS_MAX: u8 = 16;

/// A request that is being answered.
pub(crate) struct Sent<'a> {
    connection: &'a mut Http1Connection,
    carrier: &'a Carrier,
    request: &'a mut RequestHead,
    /// Bytes of its head that are written.
    written: usize,
    /// Bytes that may still come before the head of the answer is whole.
    left: usize,
    reader: HeadReader,
    /// Interim responses that may still be passed on.
    interims: u8,
}

impl Http1Connection {
    /// Sends a request and waits for the head of its response.
    pub(crate) fn send<'a>(
        &'a mut self,
        carrier: &'a Carrier,
        request: &'a mut RequestHead,
        body: RequestBody,
    ) -> Sent<'a> {
        self.stage = Stage::Head;
        (self.is_begun, self.is_answered, self.in_step) = (false, false, false);
        // As the head says, which is written already: a body that has less fails, and is never taken for none.
        self.sending = (!has_none(request)).then(|| Sending::new(body, request.body()));
        let left = self.limits.bytes_max + self.limits.bytes_max.max(BYTES_BESIDE_MAX);
        Sent {
            connection: self,
            carrier,
            request,
            written: 0,
            left,
            reader: HeadReader::default(),
            interims: INTERIMS_MAX,
        }
    }

    /// The same for a request of our own: the client is told of nothing that comes before the answer.
    pub(crate) fn ask<'a>(
        &'a mut self,
        carrier: &'a Carrier,
        request: &'a mut RequestHead,
        body: RequestBody,
    ) -> Sent<'a> {
        Sent { interims: 0, ..self.send(carrier, request, body) }
    }
}

fn has_none(request: &RequestHead) -> bool {
    matches!(request.body(), BodyFraming::Length(0))
}

impl Future for Sent<'_> {
    type Output = Result<Answered, Box<Unanswered<RequestBody>>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut head = &this.request.bytes()[this.written..];
        let written = this.connection.poll_write(&mut head, cx);
        this.written = this.request.bytes().len() - head.len();
        if written.is_err() {
            return Poll::Ready(Err(this.failed(Refusal::UpstreamClosed)));
        }
        match this.poll_answer(cx) {
            Poll::Ready(Ok(head)) => Poll::Ready(Ok(this.answered(head))),
            Poll::Ready(Err(why)) => Poll::Ready(Err(this.failed(why))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Sent<'_> {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Refusal>> {
        loop {
            // What was said before the answer has to be on its way before the answer is; a client that does not take it is
            // noticed by its connection.
            if self.interims < INTERIMS_MAX && !self.carrier.is_told() {
                return Poll::Pending;
            }
            let asks_for_head = self.request.asks_for_head();
            let (connection, room) = (&mut *self.connection, self.request.room());
            match self.reader.parse(&mut connection.read, &connection.limits, asks_for_head, room) {
                Ok(Some(head)) if head.is_interim() => {
                    self.pass_on(head, cx);
                    continue;
                }
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) => {}
                Err(Broken) => return Poll::Ready(Err(Refusal::BadResponse)),
            }
            match self.connection.poll_read(cx) {
                Poll::Ready(Ok(piece)) if !piece.is_empty() => match self.left.checked_sub(piece.len()) {
                    Some(left) => {
                        self.left = left;
                        append(&mut self.connection.read, piece);
                    }
                    None => return Poll::Ready(Err(Refusal::UpstreamClosed)),
                },
                Poll::Ready(_) => return Poll::Ready(Err(Refusal::UpstreamClosed)),
                Poll::Pending => break,
            }
        }
        match self.carrier.is_too_late() {
            Some(late) => Poll::Ready(Err(late)),
            None => Poll::Pending,
        }
    }

    /// 100 is what we have told the client ourselves, if it waited for it.
    fn pass_on(&mut self, head: Head, cx: &mut Context<'_>) {
        let is_wanted = head.status != StatusCode::CONTINUE
            && head.version == Version::HTTP_11
            && head.length <= INTERIM_BYTES_MAX;
        if is_wanted && self.interims > 0 {
            self.interims -= 1;
            let mut interim = Response::new(());
            *interim.status_mut() = head.status;
            *interim.headers_mut() = head.fields;
            self.carrier.say_interim(interim, cx);
        }
    }

    fn answered(&mut self, head: Head) -> Answered {
        let connection = &mut *self.connection;
        let rest = &self.request.bytes()[self.written..];
        match &mut connection.sending {
            _ if rest.is_empty() => {}
            Some(sending) => sending.put_first(rest),
            None => connection.sending = Some(Sending::of_rest(rest)),
        }
        connection.is_kept &= head.keeps;
        connection.stage = if head.framing.is_over() { Stage::Idle } else { Stage::Body };
        let mut answered = Response::new(AnswerBody::Framed(head.framing));
        *answered.status_mut() = head.status;
        *answered.version_mut() = head.version;
        *answered.headers_mut() = head.fields;
        if let Some(reason) = head.reason {
            answered.extensions_mut().insert(reason);
        }
        answered
    }

    fn failed(&mut self, why: Refusal) -> Box<Unanswered<RequestBody>> {
        let connection = &mut *self.connection;
        connection.is_kept = false;
        let answered = connection.is_answered;
        let unsent = match connection.sending.take() {
            _ if connection.is_begun || answered => None,
            Some(sending) => sending.into_body(),
            // Where there was one it was taken from the client, and is gone.
            None => has_none(self.request).then(|| RequestBody::empty(self.carrier.clone())),
        };
        Box::new(Unanswered { why, unsent, answered, unseen: false })
    }
}
