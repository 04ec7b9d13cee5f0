//! Answers that send clients elsewhere.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use model::{Facts, LocationPart, PathMatch, PathTemplate, Redirect, RequestValue, escape_decoded};

use super::RequestFacts;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::forwarding;
use crate::respond::{Answer, NotSent};

/// Sends a client that speaks plain HTTP to https. A proxy that we trust may say something else than either: then it is none
/// of our business.
pub(super) fn to_https<B>(
    redirect: &Redirect,
    exchange: &Exchange,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    if exchange.scheme_as_told(facts.request.headers()) == b"http" {
        Err(to(redirect, exchange, facts))
    } else {
        Ok(())
    }
}

/// Sends a client that leaves out the slash which the path of the route ends with to the path with it.
pub(super) fn to_slash<B>(
    redirect: &Redirect,
    route: Option<&PathMatch>,
    exchange: &Exchange,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let has_none = route.is_some_and(|route| route.as_str() == facts.path().matching());
    if has_none { Err(to(redirect, exchange, facts)) } else { Ok(()) }
}

/// Sends a client to a URL that what its path has matched is put into.
pub(super) fn elsewhere<B>(
    url: &PathTemplate,
    route: Option<&PathMatch>,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let path = facts.path().decoded();
    let captures = route.and_then(|route| route.captures(&path));
    let url = url.fill(&path, captures.as_ref()).ok_or(Refusal::LineTooLong)?;
    let query = facts.request.uri().query().filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Err(answer(StatusCode::FOUND, true, format!("{url}{query}").into()))
}

/// The answer that sends a client elsewhere.
pub(super) fn to<B>(redirect: &Redirect, exchange: &Exchange, facts: &RequestFacts<'_, B>) -> NotSent {
    let mut place = Vec::with_capacity(128);
    for part in redirect.to.parts() {
        let written = match part {
            LocationPart::Text(text) => {
                place.extend_from_slice(text.as_bytes());
                Some(())
            }
            LocationPart::Value(value) => Asked { exchange, facts }.write(*value, &mut place),
        };
        if written.is_none() {
            return Refusal::BadHost.into();
        }
    }
    let status = StatusCode::from_u16(redirect.status).unwrap_or(StatusCode::FOUND);
    answer(status, redirect.is_followed(), place.into())
}

/// The answer that names this place.
fn answer(status: StatusCode, is_followed: bool, place: Bytes) -> NotSent {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    let text = match status {
        StatusCode::NOT_MODIFIED => Bytes::new(),
        _ if is_followed => {
            let Ok(place) = HeaderValue::from_maybe_shared(place) else { return Refusal::BadTarget.into() };
            headers.insert(header::LOCATION, place);
            page(status)
        }
        _ => place,
    };
    NotSent::Answered(Box::new(Answer { status, headers, text }))
}

/// What people see whose browsers do not follow.
fn page(status: StatusCode) -> Bytes {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
         </body>\r\n</html>\r\n"
    )
    .into()
}

/// A request and what is known of its client.
struct Asked<'a, B> {
    exchange: &'a Exchange,
    facts: &'a RequestFacts<'a, B>,
}

impl<B> Asked<'_, B> {
    /// Writes what the request has; none if it has no host.
    fn write(&self, value: RequestValue, out: &mut Vec<u8>) -> Option<()> {
        let uri = self.facts.request.uri();
        match value {
            RequestValue::Scheme => out.extend_from_slice(self.exchange.carrier.client().scheme().as_bytes()),
            RequestValue::ClientScheme => {
                out.extend_from_slice(self.exchange.scheme_as_told(self.facts.request.headers()))
            }
            RequestValue::Host => out.extend_from_slice(self.facts.host()?.name().as_bytes()),
            RequestValue::HostField => out.extend_from_slice(self.host_field()?),
            RequestValue::ClientHost => out.extend_from_slice(self.client_host()?),
            RequestValue::ClientHostName => {
                out.extend_from_slice(self.client_host()?.split(|byte| *byte == b':').next()?);
            }
            RequestValue::ClientPort => out.extend_from_slice(&self.client_port()),
            RequestValue::PortIfUnusual => {
                let port = self.client_port();
                let usual: &[u8] =
                    if self.exchange.carrier.client().scheme() == "https" { b"443" } else { b"80" };
                if port != usual {
                    out.push(b':');
                    out.extend_from_slice(&port);
                }
            }
            RequestValue::Target => out.extend_from_slice(self.target().as_bytes()),
            RequestValue::TargetWithoutSlash => {
                let target = self.target();
                out.extend_from_slice(target.strip_suffix('/').unwrap_or(target).as_bytes());
            }
            RequestValue::Path => {
                out.extend_from_slice(escape_decoded(&self.facts.path().decoded()).as_bytes());
            }
            RequestValue::Query => out.extend_from_slice(uri.query().unwrap_or_default().as_bytes()),
            RequestValue::QueryMark => {
                out.extend(uri.query().filter(|query| !query.is_empty()).map(|_| b'?'))
            }
        }
        Some(())
    }

    fn target(&self) -> &str {
        self.facts.request.uri().path_and_query().map_or("/", |target| target.as_str())
    }

    fn host_field(&self) -> Option<&[u8]> {
        let request = self.facts.request;
        let field = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        field.or_else(|| Some(request.uri().authority()?.as_str().as_bytes()))
    }

    fn client_host(&self) -> Option<&[u8]> {
        let told = self.exchange.told(self.facts.request.headers(), &forwarding::HOST);
        told.and_then(|hosts| hosts.split(|byte| *byte == b',').next()).or_else(|| self.host_field())
    }

    fn client_port(&self) -> Vec<u8> {
        if let Some(told) = self.exchange.told(self.facts.request.headers(), &forwarding::PORT) {
            return told.to_vec();
        }
        // Where endpoints are told the listener's port, that of the host counts for nothing.
        let host = if self.exchange.edge().is_some() { None } else { self.host_field() }.unwrap_or_default();
        let scheme = self.exchange.carrier.client().scheme().as_bytes();
        forwarding::port(host, self.exchange.carrier.client().connected_to(), scheme).as_bytes().to_vec()
    }
}
