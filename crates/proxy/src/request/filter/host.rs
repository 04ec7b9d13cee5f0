//! Which host an endpoint is asked for.

use http::{HeaderMap, HeaderValue, header};
use model::{Piece, RequestHost, Template, Variable};

use super::super::variables::of_route;
use crate::exchange::Exchange;

/// Asks for another host than the client's, which stays in `X-Forwarded-Host`.
pub(super) fn edit_request(host: &Template, exchange: &Exchange, head: &mut HeaderMap) {
    let asked = head.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = RequestHost::parse(asked);
    let mut text = String::new();
    for piece in host.pieces() {
        text.push_str(match piece {
            Piece::Text(piece) => piece,
            Piece::Variable(Variable::HttpHost) => asked,
            Piece::Variable(Variable::Host) => name.as_ref().map_or("", RequestHost::name),
            Piece::Variable(variable) => of_route(variable, exchange).unwrap_or_default(),
        });
    }
    if let Ok(host) = HeaderValue::try_from(text) {
        head.insert(header::HOST, host);
    }
}
