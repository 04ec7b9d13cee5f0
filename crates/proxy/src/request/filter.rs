//! What a route's filters do with its requests.
//!
//! Which filters there are, and the order of their execution, is the order of the variants of [`RequestFilter`]; what each does
//! stands in a file of its own. (What is done with answers: [`answer_filter`](crate::answer_filter).) A request is looked at before anything of it is changed
//! ([`admit`]) and changed when it is otherwise ready to be sent ([`edit_request`]), so that a filter has the last word.
//!
//! Where the filters that are to come find their place:
//! - one that answers by itself does as `redirect`;
//! - one that has to wait, as for another server's word on a request: boxed and awaited in `serve`, before `attempt`, so that
//!   requests without it keep no room for it;
//! - one with a memory, as a limit on a rate: its state is the worker's, keyed by the route's origin as pools are by their
//!   backend, so that it survives publications;
//! - one that changes a body: between the pull and the account of `body::Relay`.

mod address;
mod client_tls;
mod cors;
mod headers;
mod redirect;
mod rewrite;

use http::HeaderMap;
use model::{Filters, RequestFilter};

use super::facts::RequestFacts;
use crate::client::Client;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::respond::NotSent;

pub(super) use rewrite::{Sent, rewrite};

/// Whether the filters let a request through, of which the head is as it came.
///
/// # Errors
/// What the first filter that does not says.
pub(super) fn admit<B>(
    filters: &Filters,
    exchange: &Exchange,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let client = exchange.carrier.client();
    let path = || exchange.route().map(|route| &route.path);
    filters.request().iter().try_for_each(|filter| match filter {
        RequestFilter::Deny => Err(Refusal::Denied.into()),
        RequestFilter::ClientTls(demanded) => client_tls::admit(demanded, client, facts),
        RequestFilter::Slash(redirect) => redirect::to_slash(redirect, path(), client, facts),
        RequestFilter::Cors(cors) => cors::admit(cors, exchange, facts.request),
        RequestFilter::Redirect(redirect) => Err(redirect::to(redirect, client, facts)),
        RequestFilter::Elsewhere(url) => redirect::elsewhere(url, path(), facts),
        RequestFilter::Https(redirect) => redirect::to_https(redirect, client, facts),
        RequestFilter::TlsOnly => client_tls::tls_only(client),
        RequestFilter::Addresses(rules) => {
            Ok(address::admit(rules, client.address(facts.request.headers()))?)
        }
        RequestFilter::Headers(_) | RequestFilter::Rewrite(_) => Ok(()),
    })
}

/// Changes the head that an endpoint gets.
pub(super) fn edit_request(filters: &Filters, client: &Client, head: &mut HeaderMap) {
    for filter in filters.request() {
        match filter {
            RequestFilter::ClientTls(demanded) => client_tls::tell(demanded, client, head),
            RequestFilter::Headers(edits) => headers::edit_request(edits, head),
            RequestFilter::Deny
            | RequestFilter::Slash(_)
            | RequestFilter::Cors(_)
            | RequestFilter::Redirect(_)
            | RequestFilter::Elsewhere(_)
            | RequestFilter::Https(_)
            | RequestFilter::TlsOnly
            | RequestFilter::Addresses(_)
            | RequestFilter::Rewrite(_) => {}
        }
    }
}
