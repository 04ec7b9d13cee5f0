//! What a route's filters do with its requests.
//!
//! Which filters there are, and the order of their execution, is the order of the variants of [`RequestFilter`]; what
//! each does stands in a file of its own. (What is done with answers: [`answer_filter`](crate::answer_filter).) A
//! request is looked at before anything of it is changed ([`admit`]) and changed when it is otherwise ready to be sent
//! ([`edit_request`]), so that a filter has the last word.
//!
//! Where the filters that are to come find their place:
//! - one that answers by itself does as `redirect`;
//! - one that has to wait does as `auth`: what it waits for is boxed, and awaited in `serve`, before `attempt`, so that
//!   requests without it keep no room for it;
//! - one with a memory, as `limits`: its state is the worker's, or that of all workers, keyed by the route's origin as pools are
//!   by their backend, so that it survives publications;
//! - one that changes a body: between the pull and the account of `body::Relay`.

mod address;
mod auth;
mod blocked;
mod client_tls;
mod compress;
mod cors;
mod headers;
mod host;
mod limits;
mod redirect;
mod rewrite;

use http::{HeaderMap, response};
use http_body::Body;
use model::{Edge, Filters, RequestFilter};

pub(super) use self::compress::is_taken as takes_gzip;
use super::facts::RequestFacts;
use super::variables::Variables;
use crate::body::Gzip;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::respond::NotSent;
use crate::upstream::{Upstreams, View};

pub(super) use auth::{Awaited, wait};
pub(super) use rewrite::{Sent, rewrite};

/// A request as filters see it, whose head is as it came.
pub(super) struct Asked<'r, B> {
    pub(super) exchange: &'r Exchange,
    pub(super) facts: &'r RequestFacts<'r, B>,
    /// The snapshot that it began with.
    pub(super) view: &'r View,
    pub(super) upstreams: &'r Upstreams,
}

impl<B> Asked<'_, B> {
    /// What is put into templates.
    fn variables(&self) -> Variables<'_, B> {
        Variables { exchange: self.exchange, facts: self.facts }
    }
}

/// Fills in what edits of this request's head, and of its answer's, set fields to, while the request is as it came.
pub(super) fn fill<B>(asked: &Asked<'_, B>) {
    let exchange = asked.exchange;
    let of_edge = exchange.edge().into_iter().flat_map(Edge::templates);
    let of_filters = exchange.filters().filter(|filters| filters.has_templates());
    let mut templates = of_edge.chain(of_filters.into_iter().flat_map(Filters::templates)).peekable();
    if templates.peek().is_some() {
        let variables = asked.variables();
        let filled = templates.filter_map(|one| Some((one.clone(), variables.fill_value(one)?)));
        exchange.fill(filled.collect());
    }
}

/// Whether the filters let a request through; or what it has to wait for before it is sent.
///
/// # Errors
/// What the first filter that does not says.
pub(super) fn admit<B>(filters: &Filters, asked: &Asked<'_, B>) -> Result<Option<Box<Awaited>>, NotSent> {
    let (exchange, facts) = (asked.exchange, asked.facts);
    let client = exchange.carrier.client();
    let path = || exchange.route().map(|route| &route.path);
    let mut awaited = None;
    for filter in filters.request() {
        match filter {
            RequestFilter::Deny => return Err(Refusal::Denied.into()),
            RequestFilter::ClientTls(demanded) => client_tls::admit(demanded, client, facts)?,
            RequestFilter::Blocked(all) => blocked::admit(all, facts.request.headers())?,
            RequestFilter::Slash(redirect) => redirect::to_slash(redirect, path(), exchange, facts)?,
            RequestFilter::Cors(cors) => cors::admit(cors, exchange, facts.request)?,
            RequestFilter::Redirect(redirect) => return Err(redirect::to(redirect, exchange, facts)),
            RequestFilter::Elsewhere(url) => redirect::elsewhere(url, path(), facts)?,
            RequestFilter::Https(redirect) => redirect::to_https(redirect, exchange, facts)?,
            RequestFilter::TlsOnly => client_tls::tls_only(client)?,
            RequestFilter::Limits(limits) => limits::admit(limits, exchange, facts.request.headers())?,
            RequestFilter::Addresses(rules) => {
                address::admit(rules, exchange.client_address(facts.request.headers()))?;
            }
            RequestFilter::Auth(auth) => awaited = auth::admit(auth, asked)?,
            RequestFilter::Host(_) | RequestFilter::Headers(_) | RequestFilter::Rewrite(_) => {}
        }
    }
    Ok(awaited)
}

/// Changes the head that an endpoint gets as its route's edge says, before the filters.
pub(super) fn edit_request_at(edge: &Edge, exchange: &Exchange, head: &mut HeaderMap) {
    headers::edit_request(exchange, &edge.request, head);
}

/// Changes the head that an endpoint gets.
pub(super) fn edit_request(filters: &Filters, exchange: &Exchange, head: &mut HeaderMap) {
    for filter in filters.request() {
        match filter {
            RequestFilter::ClientTls(demanded) => client_tls::tell(demanded, exchange.carrier.client(), head),
            RequestFilter::Auth(auth) => auth::edit_request(auth, head),
            RequestFilter::Host(host) => host::edit_request(host, exchange, head),
            RequestFilter::Headers(edits) => headers::edit_request(exchange, edits, head),
            RequestFilter::Deny
            | RequestFilter::Blocked(_)
            | RequestFilter::Slash(_)
            | RequestFilter::Cors(_)
            | RequestFilter::Redirect(_)
            | RequestFilter::Elsewhere(_)
            | RequestFilter::Https(_)
            | RequestFilter::TlsOnly
            | RequestFilter::Limits(_)
            | RequestFilter::Addresses(_)
            | RequestFilter::Rewrite(_) => {}
        }
    }
}

/// What compresses the body of an answer, if it is one that its route compresses; its head says so then. The last change of a head.
pub(super) fn begin_compressing<B: Body>(
    exchange: &Exchange,
    head: &mut response::Parts,
    body: &B,
) -> Option<Box<Gzip>> {
    compress::begin(exchange.filters()?.compression()?, exchange, head, body)
}
