//! The one place where an error becomes a response, and where else an answer of our own is made.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode, response};

use crate::answer_filter::{self, By};
use crate::body::ResponseBody;
use crate::client::{Carrier, Client};
use crate::error::{Refusal, Side};
use crate::exchange::Exchange;
use crate::grpc;
use crate::overload::RETRY_AFTER_SECONDS;

/// Methods that routes may be asked for; what RFC 9110 §15.5.6 wants beside a 405.
const ALLOW: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/// Why a request is not sent to an endpoint.
pub(crate) enum NotSent {
    /// It cannot be served, or may not.
    Refused(Refusal),
    /// The same, and its route says with which status.
    RefusedAs(Refusal, StatusCode),
    /// Its route says what is answered.
    Answered(Box<Answer>),
}

/// What a route answers by itself.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Beside those that frame it, which are added.
    pub(crate) headers: HeaderMap,
    pub(crate) text: Bytes,
}

impl Answer {
    /// One with its status for a text.
    pub(crate) fn plain(status: StatusCode, mut headers: HeaderMap) -> Answer {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        Answer { status, headers, text: Bytes::from(format!("{}\n", status.as_u16())) }
    }
}

impl From<Answer> for NotSent {
    fn from(answer: Answer) -> NotSent {
        NotSent::Answered(Box::new(answer))
    }
}

impl NotSent {
    /// Takes it out of its place.
    pub(crate) fn take(&mut self) -> NotSent {
        std::mem::replace(self, NotSent::Refused(Refusal::Cut))
    }
}

impl From<Refusal> for NotSent {
    fn from(why: Refusal) -> NotSent {
        NotSent::Refused(why)
    }
}

/// Answers a request that is not sent to an endpoint.
pub(crate) fn respond(exchange: Exchange, why: NotSent) -> Response<ResponseBody> {
    match why {
        NotSent::Refused(why) => refuse(exchange, why),
        NotSent::RefusedAs(why, status) => refuse_as(exchange, why, status),
        NotSent::Answered(answer) => answer_with(exchange, *answer),
    }
}

/// Gives the answer of a route. What the client still sends of its request is read and dropped as behind a refusal.
fn answer_with(mut exchange: Exchange, answer: Answer) -> Response<ResponseBody> {
    let Answer { status, headers, text } = answer;
    exchange.answered(status);
    exchange.complete();
    let (mut head, ()) = Response::new(()).into_parts();
    (head.status, head.headers) = (status, headers);
    if status != StatusCode::NO_CONTENT {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    }
    answer_filter::edit(&exchange, By::Us, head.status, &mut head.headers);
    let carrier = &exchange.carrier;
    carrier.refuse_protocol();
    if carrier.must_close() {
        carrier.say_close(&mut head.headers, &mut head.version);
    }
    let text = Some(text).filter(|text| !exchange.asks_for_head && !text.is_empty());
    Response::from_parts(head, ResponseBody::Own { text, _exchange: exchange })
}

/// Answers a request that no upstream has answered.
pub(crate) fn refuse(exchange: Exchange, why: Refusal) -> Response<ResponseBody> {
    refuse_as(exchange, why, why.status())
}

fn refuse_as(mut exchange: Exchange, why: Refusal, status: StatusCode) -> Response<ResponseBody> {
    exchange.refused(why);
    exchange.answered(status);
    exchange.complete();
    let carrier = &exchange.carrier;
    if why.side() == Side::Downstream {
        carrier.fine();
    }
    let (mut head, text) =
        if carrier.request().is_grpc.get() { call_head(why) } else { head(carrier, why, status) };
    answer_filter::edit(&exchange, By::Us, head.status, &mut head.headers);
    // Over HTTP/2 hyper would send it in answer to HEAD, too, which clients take for a broken stream.
    let text = text.filter(|_| !exchange.asks_for_head);
    Response::from_parts(head, ResponseBody::Own { text, _exchange: exchange })
}

fn head(carrier: &Carrier, why: Refusal, status: StatusCode) -> (response::Parts, Option<Bytes>) {
    let text = text(why, status);
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = status;
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    if why == Refusal::Method {
        head.headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    }
    if why.is_overload() {
        head.headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    carrier.refuse_protocol();
    if carrier.must_close() || (closes(why) && !carrier.is_stream()) {
        carrier.say_close(&mut head.headers, &mut head.version);
    }
    (head, Some(Bytes::from(text)))
}

/// The same for a client of gRPC, which looks for the status in other fields (PROTOCOL-HTTP2.md, "Trailers-Only").
fn call_head(why: Refusal) -> (response::Parts, Option<Bytes>) {
    let (mut head, ()) = Response::new(()).into_parts();
    head.headers = grpc::status(why);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if why.is_overload() {
        head.headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    (head, None)
}

/// A response for what hyper never saw as a request, as bytes.
pub(crate) fn raw(why: Refusal) -> Vec<u8> {
    let text = text(why, why.status());
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let length = text.len();
    let retry =
        if why.is_overload() { format!("retry-after: {RETRY_AFTER_SECONDS}\r\n") } else { String::new() };
    format!(
        "HTTP/1.1 {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\ndate: {date}\r\n\
         {retry}connection: close\r\n\r\n{text}",
        why.status()
    )
    .into_bytes()
}

/// Counts and logs a refusal of something that never became a request.
pub(crate) fn record(client: &Client, why: Refusal) {
    let worker = &client.worker;
    worker.cells.refusals.of(why).add(1);
    worker.cells.record(why.status().as_u16(), std::time::Duration::ZERO);
    if let Some(draft) = worker.log.draft(|_| {}) {
        worker.log.finish(draft, |line| {
            line.text("client", &client.peer().ip().to_string());
            line.number("status", u64::from(why.status().as_u16()));
            line.text("error", why.as_str());
        });
    }
}

/// Whether the connection ends with the response: a client that broke the rules once is not read any further, and what
/// follows a CONNECT may be the bytes of a tunnel. Where memory is short each connection holds some. And a client may have a
/// certificate to show on another one.
fn closes(why: Refusal) -> bool {
    why.side() == Side::Downstream || why == Refusal::Memory || why.is_of_connection()
}

fn text(why: Refusal, status: StatusCode) -> String {
    format!("{status} ({why})\n")
}
