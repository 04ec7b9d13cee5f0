//! What a route's filters do with the head of an answer. Each answer to a request whose route is known passes here on its way to
//! the client: an endpoint's, and ours, whether it refuses the request or sends the client elsewhere.

mod cookies;
mod place;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{Cors, Edge, HeaderChange, HeaderEdit, ResponseFilter};

use crate::exchange::Exchange;

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// An endpoint's.
    Endpoint,
    /// Ours.
    Us,
}

/// Changes the head of an answer.
pub(crate) fn edit(exchange: &Exchange, by: By, status: StatusCode, head: &mut HeaderMap) {
    if let Some(edge) = exchange.edge() {
        edit_at(exchange, edge, by, status, head);
    }
    let Some(filters) = exchange.filters() else { return };
    if exchange.shows_page() {
        // It is no answer of the route's.
        return;
    }
    for filter in filters.response() {
        match (filter, by) {
            // They have served already.
            (ResponseFilter::Pages(_), _) => {}
            (ResponseFilter::Place(rewrite), By::Endpoint) => place::rewrite(rewrite, head),
            (ResponseFilter::Cookies(rewrite), By::Endpoint) => cookies::rewrite(rewrite, head),
            (ResponseFilter::Headers(edits), By::Endpoint) => edit_fields(exchange, edits, status, head),
            (ResponseFilter::Place(_) | ResponseFilter::Cookies(_) | ResponseFilter::Headers(_), By::Us) => {}
            (ResponseFilter::Cors(cors), _) => allow_origin(cors, exchange.origin(), head),
            (ResponseFilter::Hsts(value), _) => {
                if exchange.carrier.client().secure.get().is_some() {
                    set(header::STRICT_TRANSPORT_SECURITY, value, head);
                }
            }
            // Of bodies, and made where they are relayed.
            (ResponseFilter::Compress(_) | ResponseFilter::Throttle(_), _) => {}
        }
    }
}

/// What the edge of a route says, before its filters.
fn edit_at(exchange: &Exchange, edge: &Edge, by: By, status: StatusCode, head: &mut HeaderMap) {
    if by == By::Endpoint {
        for name in &edge.hidden {
            head.remove(&**name);
        }
    }
    edit_fields(exchange, &edge.response, status, head);
}

/// Makes the edits, one after the other. Names and values were checked when they were compiled: one that is none is passed
/// over, and a field that is to be set to it goes.
pub(crate) fn edit_fields(
    exchange: &Exchange,
    edits: &[HeaderEdit],
    status: StatusCode,
    head: &mut HeaderMap,
) {
    for HeaderEdit { name, change } in edits {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        match change {
            HeaderChange::Remove => drop(head.remove(name)),
            HeaderChange::Set(text) => match exchange.value_of(text) {
                Some(value) => drop(head.insert(name, value)),
                None => drop(head.remove(name)),
            },
            HeaderChange::AddUnlessError(_) if !has_additions(status) => {}
            HeaderChange::Add(text) | HeaderChange::AddUnlessError(text) => {
                if let Some(value) = exchange.value_of(text) {
                    head.append(name, value);
                }
            }
        }
    }
}

/// The statuses by which nginx' `add_header` adds a field.
fn has_additions(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 201 | 204 | 206 | 301..=304 | 307 | 308)
}

fn set(name: HeaderName, value: &str, head: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(value) {
        head.insert(name, value);
    }
}

/// What an endpoint says itself to pages of this origin is replaced; what it says to others stays.
fn allow_origin(cors: &Cors, origin: Option<&HeaderValue>, head: &mut HeaderMap) {
    let Some(origin) = origin else { return };
    head.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if cors.credentials {
        head.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    set(header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods, head);
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers, head);
    if let Some(expose) = &cors.expose {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, expose, head);
    }
    head.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age));
}
