//! What of a request is put into the templates of its route.

use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{self, HeaderValue};
use model::{Facts, Piece, Template, Variable, cookie_in};

use super::facts::RequestFacts;
use crate::exchange::Exchange;

/// Longest text that is made of a template: longer ones no server takes.
const BYTES_MAX: usize = 16 << 10;

/// A request, as templates see it.
pub(super) struct Variables<'r, B> {
    pub(super) exchange: &'r Exchange,
    pub(super) facts: &'r RequestFacts<'r, B>,
}

impl<B> Variables<'_, B> {
    /// The text with all variables in their place. None if it would be too long.
    pub(super) fn fill(&self, template: &Template) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for piece in template.pieces() {
            match piece {
                Piece::Text(piece) => text.extend_from_slice(piece.as_bytes()),
                Piece::Variable(variable) => self.append(variable, &mut text),
            }
        }
        (text.len() <= BYTES_MAX).then_some(text)
    }

    /// The same as the value of a field. None if it cannot be one.
    pub(super) fn fill_value(&self, template: &Template) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.fill(template)?).ok()
    }

    fn append(&self, variable: &Variable, text: &mut Vec<u8>) {
        let (request, facts) = (self.facts.request, self.facts);
        let uri = request.uri();
        match variable {
            Variable::Namespace | Variable::Ingress | Variable::Service | Variable::ServicePort => {
                text.extend_from_slice(of_route(variable, self.exchange).unwrap_or_default().as_bytes());
            }
            Variable::Upstream => {
                let parts = [Variable::Namespace, Variable::Service, Variable::ServicePort];
                let parts = parts.map(|part| of_route(&part, self.exchange).unwrap_or_default());
                text.extend_from_slice(parts.join("-").as_bytes());
            }
            Variable::Seconds => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let written = format!("{}.{:03}", since.as_secs(), since.subsec_millis());
                text.extend_from_slice(written.as_bytes());
            }
            Variable::Host => text.extend_from_slice(facts.host().map_or("", |host| host.name()).as_bytes()),
            Variable::HttpHost => text.extend_from_slice(self.http_host()),
            Variable::Scheme => text.extend_from_slice(self.exchange.carrier.client().scheme().as_bytes()),
            Variable::PassScheme => {
                text.extend_from_slice(self.exchange.scheme_as_told(request.headers()));
            }
            Variable::RequestUri => text.extend_from_slice(self.request_uri().as_bytes()),
            Variable::EscapedRequestUri => escape(self.request_uri(), text),
            Variable::Path => text.extend_from_slice(uri.path().as_bytes()),
            Variable::Query => text.extend_from_slice(uri.query().unwrap_or_default().as_bytes()),
            Variable::IsArgs => text.extend_from_slice(if uri.query().is_some() { b"?" } else { b"" }),
            Variable::RemoteAddress => {
                let address = self.exchange.client_address(request.headers());
                text.extend_from_slice(address.map(|ip| ip.to_string()).unwrap_or_default().as_bytes());
            }
            Variable::Method => text.extend_from_slice(request.method().as_str().as_bytes()),
            Variable::Argument(name) => text.extend_from_slice(argument(uri.query(), name).as_bytes()),
            Variable::Header(name) => {
                for (at, value) in request.headers().get_all(&**name).iter().enumerate() {
                    text.extend_from_slice(if at == 0 { b"" } else { b", " });
                    text.extend_from_slice(value.as_bytes());
                }
            }
            Variable::Cookie(name) => {
                let mut fields = request.headers().get_all(header::COOKIE).iter();
                let found = fields.find_map(|field| cookie_in(field.as_bytes(), name));
                text.extend_from_slice(found.unwrap_or_default().as_bytes());
            }
        }
    }

    /// The host as it was written. HTTP/2 has it in the target (RFC 9113 §8.3.1).
    pub(super) fn http_host(&self) -> &[u8] {
        let request = self.facts.request;
        let field = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        field.or_else(|| Some(request.uri().authority()?.as_str().as_bytes())).unwrap_or_default()
    }

    /// Path and query as they came.
    pub(super) fn request_uri(&self) -> &str {
        self.facts.request.uri().path_and_query().map_or("/", |target| target.as_str())
    }
}

/// What a variable is by the route of a request alone.
pub(super) fn of_route<'e>(variable: &Variable, exchange: &'e Exchange) -> Option<&'e str> {
    let object = || exchange.route().map(|route| &route.origin.object);
    let backend = || exchange.pool().map(|pool| &pool.cells.key);
    match variable {
        Variable::Namespace => Some(&object()?.namespace),
        Variable::Ingress => Some(&object()?.name),
        Variable::Service => Some(&backend()?.service),
        Variable::ServicePort => Some(&backend()?.port),
        _ => None,
    }
}

/// The first parameter of this name, whatever its letters' case, as it is written, as nginx looks for it.
fn argument<'q>(query: Option<&'q str>, name: &str) -> &'q str {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// As a value in a query (RFC 3986 §2.3).
fn escape(raw: &str, text: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in raw.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte);
        } else {
            text.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_one_value_of_a_query() {
        let mut text = Vec::new();
        escape("/a b?c=d&e=%2F~", &mut text);
        assert_eq!(text, b"%2Fa%20b%3Fc%3Dd%26e%3D%252F~");
    }

    #[test]
    fn an_argument_is_found_as_nginx_finds_it() {
        for (query, value) in [("a=1&A=2", "1"), ("x&A=%31", "%31"), ("b=1", ""), ("", "")] {
            assert_eq!(argument(Some(query), "a"), value, "{query}");
        }
    }
}
