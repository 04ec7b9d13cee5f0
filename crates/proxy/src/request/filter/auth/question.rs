//! What another server is asked about a request.

use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Method, Version};
use model::{AuthServer, ExternalAuth, Facts, Get, Policy, RequestPath, WordCache};

use super::super::client_tls;
use super::Asked;
use crate::error::Refusal;
use crate::headers;
use crate::upstream::BackendPool;
use crate::words::Print;

const METHOD: HeaderName = HeaderName::from_static("x-original-method");
const URL: HeaderName = HeaderName::from_static("x-original-url");
const URI: HeaderName = HeaderName::from_static("x-original-uri");
const SCHEME: HeaderName = HeaderName::from_static("x-scheme");
const REDIRECT: HeaderName = HeaderName::from_static("x-auth-request-redirect");
const SENT_FROM: HeaderName = HeaderName::from_static("x-sent-from");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What ingress-nginx says of itself: servers may look for it.
const OURSELVES: HeaderValue = HeaderValue::from_static("nginx-ingress-controller");

/// What another server is asked, and where it is.
pub(super) struct Question {
    pub(super) pool: Rc<BackendPool>,
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) head: HeaderMap,
    /// By what its answer is kept, if it is.
    pub(super) print: Option<Print>,
}

impl Question {
    /// What it is asked about this request, of which the head is as it came.
    ///
    /// # Errors
    /// [`Refusal::AuthServer`]: nothing can be asked.
    pub(super) fn new<B>(external: &ExternalAuth, asked: &Asked<'_, B>) -> Result<Question, Refusal> {
        let target = asked.variables().fill(&external.target).ok_or(Refusal::AuthServer)?;
        let target = PathAndQuery::try_from(target).map_err(|_| Refusal::AuthServer)?;
        let pool = pool(external, asked, target.path()).ok_or(Refusal::AuthServer)?;
        // A WebSocket over HTTP/2, or another protocol than HTTP, is nothing to ask in.
        if pool.protocol().is_http2() {
            return Err(Refusal::AuthServer);
        }
        let method = external.method.as_deref().map_or(Ok(Method::GET), |method| method.parse());
        let method = method.map_err(|_| Refusal::AuthServer)?;
        let head = head(external, asked).ok_or(Refusal::AuthServer)?;
        let print = external.cache.as_ref().map(|cache| print(external, cache, asked)).transpose()?;
        Ok(Question { pool, method, target: target.into(), head, print })
    }
}

/// Requests of a route for which the key is the same get the same word.
fn print<B>(external: &ExternalAuth, cache: &WordCache, asked: &Asked<'_, B>) -> Result<Print, Refusal> {
    let key = asked.variables().fill(&cache.key).ok_or(Refusal::AuthServer)?;
    let route = asked.exchange.route().ok_or(Refusal::AuthServer)?;
    let (object, host) = (route.origin.object.to_string(), route.host.to_string());
    Ok(Print::new(external, &[object.as_bytes(), host.as_bytes(), route.path.as_str().as_bytes(), &key]))
}

/// The endpoints that are asked. On the request's own host they are those of the route that serves the target: unless that
/// route asks for something itself, which would never end, or is not served.
fn pool<B>(external: &ExternalAuth, asked: &Asked<'_, B>, path: &str) -> Option<Rc<BackendPool>> {
    let table = &asked.view.table;
    match &external.server {
        AuthServer::Backend(key) => Some(asked.upstreams.pool_of(table.backend(key)?)),
        AuthServer::OwnHost => {
            let path = RequestPath::parse(path).ok()?;
            let get = Get { host: asked.facts.host(), path: &path };
            let route = table.find(&get)?;
            let asks = route.policy.filters.as_ref().is_some_and(|filters| filters.auth().is_some());
            if asks || route.policy.denies() {
                return None;
            }
            let backend = route.target.choose(&get, |total| fastrand::u64(..total))?;
            Some(asked.upstreams.pool(asked.view, backend))
        }
    }
}

/// The client's own fields without those of its connection and those that say where it comes from, which are ours to say.
fn head<B>(external: &ExternalAuth, asked: &Asked<'_, B>) -> Option<HeaderMap> {
    let (request, variables) = (asked.facts.request, asked.variables());
    let client = asked.exchange.carrier.client();
    let mut head = request.headers().clone();
    if request.version() == Version::HTTP_2 {
        headers::as_http1(request.uri(), &mut head);
    }
    headers::strip_hop_by_hop(&mut head);
    headers::strip_aliases(&mut head, false, client.limits().underscores);
    head.remove(header::CONTENT_LENGTH);
    let url = [client.scheme().as_bytes(), b"://", variables.http_host(), variables.request_uri().as_bytes()];
    let uri = HeaderValue::from_str(variables.request_uri()).ok()?;
    if let Some(address) = asked.exchange.client_address(request.headers()) {
        let address = HeaderValue::from_str(&address.to_string()).ok()?;
        head.insert(REAL_IP, address.clone());
        head.insert(FORWARDED_FOR, address);
    }
    head.insert(URL, HeaderValue::from_bytes(&url.concat()).ok()?);
    head.insert(METHOD, HeaderValue::from_str(request.method().as_str()).ok()?);
    head.insert(SENT_FROM, OURSELVES);
    if external.method.is_some() {
        head.insert(URI, uri.clone());
        head.insert(SCHEME, HeaderValue::from_bytes(asked.exchange.scheme_as_told(request.headers())).ok()?);
    }
    let redirect = match &external.request_redirect {
        Some(template) => variables.fill_value(template)?,
        None => uri,
    };
    head.insert(REDIRECT, redirect);
    head.insert(header::HOST, variables.fill_value(&external.host)?);
    if let Some(demanded) = asked.exchange.policy().and_then(Policy::client_tls) {
        client_tls::tell(demanded, client, &mut head);
    }
    for (name, template) in &*external.request_headers {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, variables.fill_value(template)?);
        // As with nginx a field without a value is not sent.
        if value.is_empty() {
            head.remove(name);
        } else {
            head.insert(name, value);
        }
    }
    Some(head)
}
