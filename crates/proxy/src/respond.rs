//! The one place where an error becomes a response.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::body::ResponseBody;
use crate::connection::Client;
use crate::error::{Refusal, Side};
use crate::overload::RETRY_AFTER_SECONDS;
use crate::request::Record;

/// Methods that routes may be asked for; what RFC 9110 §15.5.6 wants beside a 405.
const ALLOW: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/// Answers a request that no upstream has answered.
pub(crate) fn refuse(mut record: Record, why: Refusal) -> Response<ResponseBody> {
    record.refused(why);
    record.answered(why.status());
    record.complete();
    let client = Rc::clone(&record.client);
    if client.is_stream && why.side() == Side::Downstream {
        client.fines.set(client.fines.get() + 1);
    }
    if client.is_call.get() {
        return refuse_call(record, why);
    }
    let text = text(why);
    let length = text.len();
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = why.status();
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if why == Refusal::Method {
        head.headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    }
    if why.is_overload() {
        head.headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    client.refuse_protocol();
    if client.must_close() || (closes(why) && !client.is_stream) {
        client.say_close(&mut head.headers, &mut head.version);
    }
    Response::from_parts(head, ResponseBody::Own { text: Some(Bytes::from(text)), _record: record })
}

/// The same for a client of gRPC, which looks for the status in other fields (PROTOCOL-HTTP2.md, "Trailers-Only").
fn refuse_call(record: Record, why: Refusal) -> Response<ResponseBody> {
    let (mut head, ()) = Response::new(()).into_parts();
    head.headers = call_status(why);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if why.is_overload() {
        head.headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    Response::from_parts(head, ResponseBody::Own { text: None, _record: record })
}

/// How a call ends that is refused, or whose answer breaks off.
pub(crate) fn call_status(why: Refusal) -> HeaderMap {
    let text = HeaderValue::from_str(&format!("{} ({why})", why.status()));
    let mut fields = HeaderMap::new();
    fields.insert("grpc-status", HeaderValue::from(grpc_status(why)));
    fields.extend(text.ok().map(|text| (HeaderName::from_static("grpc-message"), text)));
    fields
}

/// gRPC's own table (http-grpc-status-mapping.md), with a word for each.
fn grpc_status(why: Refusal) -> u16 {
    const UNKNOWN: u16 = 2;
    const DEADLINE_EXCEEDED: u16 = 4;
    const PERMISSION_DENIED: u16 = 7;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match why.status() {
        _ if why == Refusal::CallTimeout => DEADLINE_EXCEEDED,
        StatusCode::BAD_REQUEST => INTERNAL,
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND => UNIMPLEMENTED,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// A response for what hyper never saw as a request, as bytes.
pub(crate) fn raw(why: Refusal) -> Vec<u8> {
    let text = text(why);
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
/// follows a CONNECT may be the bytes of a tunnel. And where memory is short each connection holds some.
fn closes(why: Refusal) -> bool {
    why.side() == Side::Downstream || why == Refusal::Memory
}

fn text(why: Refusal) -> String {
    format!("{} ({why})\n", why.status())
}
