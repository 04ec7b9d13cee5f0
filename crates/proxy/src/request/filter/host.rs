//! Which host an endpoint is asked for.

use http::{HeaderMap, HeaderValue, header};
use model::Template;

use super::super::variables;
use crate::exchange::Exchange;

/// Asks for another host than the client's, which stays in `X-Forwarded-Host`.
pub(super) fn edit_request(host: &Template, exchange: &Exchange, head: &mut HeaderMap) {
    let host = variables::expand_host(host, exchange, head);
    if let Ok(host) = HeaderValue::try_from(host) {
        head.insert(header::HOST, host);
    }
}
