//! An upgrade, after which both sides talk through a tunnel: what the client asks for, what the endpoint is asked for in its
//! stead, and what either is told.
//!
//! HTTP/1 switches its whole connection (RFC 9110 §7.8); on HTTP/2 one stream becomes a WebSocket (RFC 8441). Where the two
//! sides speak different versions the one is made of the other, which only WebSocket can be.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version, response};
use hyper::ext::Protocol as Wanted;
use hyper::upgrade::OnUpgrade;
use model::Protocol;

use crate::answer_filter::{self, By};
use crate::body::ResponseBody;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::headers;
use crate::respond;
use crate::timer::Wait;
use crate::tunnel::{Seat, Tunnel};
use crate::upstream::{Answered, Lease};

const WEBSOCKET: &str = "websocket";
/// RFC 6455 §1.3: what a server adds to the key that it agrees to.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What the client has asked for, as long as it is not answered.
pub(super) struct Upgrade {
    /// What the client will talk through: a stream of HTTP/2, or if none its connection.
    stream: Option<OnUpgrade>,
    /// The protocol, as the client names it.
    protocol: HeaderValue,
    /// The key that a server of WebSocket answers to: the client's, or ours if it speaks HTTP/2 and has none.
    key: Option<HeaderValue>,
}

/// Whether CONNECT asks for a tunnel to a server that routes are for, and not to anywhere.
pub(super) fn check_connect(wanted: Option<&Wanted>) -> Result<(), Refusal> {
    match wanted {
        Some(wanted) if wanted.as_str() == WEBSOCKET => Ok(()),
        // RFC 9220 §3
        Some(_) => Err(Refusal::TunnelProtocol),
        None => Err(Refusal::Method),
    }
}

impl Upgrade {
    /// What a request without a body asks for, if that can be had where `upstream` is spoken. It becomes a GET.
    pub(super) fn wanted(head: &mut Parts, upstream: Protocol) -> Option<Box<Upgrade>> {
        if head.method == Method::CONNECT {
            head.extensions.remove::<Wanted>();
            head.method = Method::GET;
            let stream = Some(head.extensions.remove::<OnUpgrade>()?);
            let key = HeaderValue::try_from(STANDARD.encode(fastrand::u128(..).to_be_bytes())).ok();
            let protocol = HeaderValue::from_static(WEBSOCKET);
            return Some(Box::new(Upgrade { stream, protocol, key }));
        }
        let protocol = headers::wanted_upgrade(&head.headers).filter(|_| head.version == Version::HTTP_11)?;
        let key = head.headers.get(header::SEC_WEBSOCKET_KEY).cloned();
        let can_be_had =
            !upstream.is_http2() || (is_websocket(&protocol) && key.is_some() && head.method == Method::GET);
        can_be_had.then(|| Box::new(Upgrade { stream: None, protocol, key }))
    }

    /// Asks the endpoint for it.
    pub(super) fn ask(&self, head: &mut Parts, upstream: Protocol) {
        if upstream.is_http2() {
            head.method = Method::CONNECT;
            head.extensions.insert(Wanted::from_static(WEBSOCKET));
            head.headers.remove(header::SEC_WEBSOCKET_KEY);
            return;
        }
        headers::set_upgrade(&mut head.headers, self.protocol.clone());
        if self.stream.is_some() {
            head.headers.remove(header::SEC_WEBSOCKET_ACCEPT);
            head.headers.extend(self.key.clone().map(|key| (header::SEC_WEBSOCKET_KEY, key)));
        }
    }

    /// Whether the endpoint agrees. One that does not may answer as to any other request, but not so that the client would
    /// take it for agreement.
    fn is_agreed(&self, answered: &Answered, upstream: Protocol) -> Result<bool, Refusal> {
        let (status, fields) = (answered.status(), answered.headers());
        let agreed = if upstream.is_http2() {
            status == StatusCode::OK
        } else {
            status == StatusCode::SWITCHING_PROTOCOLS
                && headers::names_upgrade(fields)
                && fields.get(header::UPGRADE).is_some_and(|to| self.stream.is_none() || is_websocket(to))
                && (self.stream.is_none() || self.is_answered(fields))
        };
        let misleads = status.is_informational()
            || (status.is_success() && (upstream.is_http2() || self.stream.is_some()));
        if misleads && !agreed { Err(Refusal::BadResponse) } else { Ok(agreed) }
    }

    fn is_answered(&self, fields: &HeaderMap) -> bool {
        let accept = self.key.as_ref().map(accept);
        accept.is_some() && fields.get(header::SEC_WEBSOCKET_ACCEPT) == accept.as_ref()
    }

    /// Tells the client that the endpoint agrees, in the client's own words. Beside these the filters of the route have the
    /// last word, as of any answer of an endpoint.
    fn agree(&self, head: &mut response::Parts, exchange: &Exchange) {
        let protocol = head.headers.get(header::UPGRADE).cloned();
        headers::strip_hop_by_hop(&mut head.headers);
        answer_filter::edit(exchange, By::Endpoint, head.status, &mut head.headers);
        head.version = Version::HTTP_11;
        head.extensions.clear();
        if self.stream.is_some() {
            head.status = StatusCode::OK;
            head.headers.remove(header::SEC_WEBSOCKET_ACCEPT);
            head.headers.remove(header::CONTENT_LENGTH);
            return;
        }
        let spoke_http2 = head.status != StatusCode::SWITCHING_PROTOCOLS;
        if let Some(key) = self.key.as_ref().filter(|_| spoke_http2) {
            head.headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept(key));
        }
        head.status = StatusCode::SWITCHING_PROTOCOLS;
        headers::set_upgrade(&mut head.headers, protocol.unwrap_or_else(|| self.protocol.clone()));
    }
}

/// Whether the endpoint agrees to the upgrade that was asked for, if one was; none switches unasked.
pub(super) fn is_agreed(
    asked: Option<&Upgrade>,
    answered: &Answered,
    upstream: Protocol,
) -> Result<bool, Refusal> {
    match asked {
        Some(upgrade) => upgrade.is_agreed(answered, upstream),
        None if answered.status().is_informational() => Err(Refusal::BadResponse),
        None => Ok(false),
    }
}

/// Both sides switch: the client is told, and what it talks through becomes one end of a tunnel. A drain says nothing here:
/// for the client there is no better place yet.
pub(super) async fn upgrade(
    mut exchange: Exchange,
    asked: Option<Box<Upgrade>>,
    lease: Lease,
    mut answered: Answered,
    seat: Option<&Seat>,
) -> Response<ResponseBody> {
    let Some(asked) = asked else { return respond::refuse(exchange, Refusal::BadResponse) };
    // What was said before this belongs to the new protocol, and must not have been read as the old one.
    if asked.stream.is_none() && !exchange.carrier.holds_early() {
        return respond::refuse(exchange, Refusal::BadRequest);
    }
    let upstream = answered.extensions_mut().remove::<OnUpgrade>();
    let (mut head, _) = answered.into_parts();
    asked.agree(&mut head, &exchange);
    exchange.answered(head.status);
    exchange.carrier.timer().clear(Wait::Request);
    match Tunnel::open(exchange, lease, asked.stream, upstream).await {
        Ok(tunnel) => {
            tunnel.wait(seat);
            Response::from_parts(head, ResponseBody::None)
        }
        Err(exchange) => respond::refuse(exchange, Refusal::BadResponse),
    }
}

fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes())
}

/// What a server of WebSocket answers to this key (RFC 6455 §4.2.2).
fn accept(key: &HeaderValue) -> HeaderValue {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), GUID].concat());
    HeaderValue::try_from(STANDARD.encode(hash)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_the_rfc() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
