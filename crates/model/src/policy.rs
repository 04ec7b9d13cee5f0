//! What applies to the requests of a route beyond where it leads. Plain data, compiled once: the request path decides
//! nothing that could have been decided before, and knows no dialect of annotations.

mod address;
mod affinity;
mod auth;
mod balance;
mod blocked;
mod client_tls;
mod compression;
mod cors;
mod edge;
mod filter;
mod filters;
mod header;
mod limit;
mod pages;
mod redirect;
mod retry;
mod rewrite;
mod throttle;
mod timeouts;
mod upstream_fields;

use std::fmt;
use std::sync::Arc;

use crate::Template;

pub use address::{AddressRules, any_contains};
pub use affinity::{Affinity, CookieAttributes, SameSite, Stickiness, StickyValue};
pub use auth::{
    Auth, AuthServer, BCRYPT_COST_MAX, CacheTime, ExternalAuth, HashError, PasswordAuth, PasswordHash,
    Scheme, Users, WordCache,
};
pub use balance::Balance;
pub use blocked::{Blocked, FieldMatch};
pub use client_tls::{ClientTls, ClientVerify};
pub use compression::Compression;
pub use cors::{Cors, OriginMatch, Origins};
pub use edge::{Edge, FieldNames};
pub use filter::{RequestFilter, ResponseFilter};
pub use filters::Filters;
pub use header::{FieldText, HeaderChange, HeaderEdit, is_forwarding_field};
pub use limit::{RateLimit, RequestLimits};
pub use pages::Pages;
pub use redirect::{Location, LocationPart, Redirect, RequestValue};
pub use retry::{Retry, RetryOn};
pub use rewrite::{PathTemplate, Rewrite, Rewritten};
pub use throttle::Throttle;
pub use timeouts::Timeouts;
pub use upstream_fields::{CookieRewrite, PlaceRewrite};

/// What applies to a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How the backend's endpoints share its requests.
    pub balance: Balance,
    /// What of a request decides on its endpoint, if it is not that. None for most routes, which then pay one look at a pointer.
    pub keyed: Option<Box<Keyed>>,
    /// How long they may take.
    pub timeouts: Timeouts,
    /// How often a request is tried.
    pub retry: Retry,
    /// Whether clients that open a TLS connection for the host shake hands with the endpoint itself. Requests in clear text go
    /// the usual way.
    pub passes_tls: bool,
    /// Bytes that the body of a request may have, unless as many as the proxy takes.
    pub request_body_max: Option<u64>,
    /// What is done with requests and responses; none for most routes, which then pay one look at a pointer.
    pub filters: Option<Box<Filters>>,
    /// What is told of clients and to them, where that is not the proxy's own way.
    pub edge: Option<Arc<Edge>>,
    /// Whether its requests stay out of the access log.
    pub is_unlogged: bool,
}

/// What of a request decides on its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// A cookie, by which clients stay.
    Cookie(Affinity),
    /// A text, of which each has its endpoint.
    Text(Template),
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keyed::Cookie(affinity) => affinity.fmt(f),
            Keyed::Text(template) => template.fmt(f),
        }
    }
}

impl Policy {
    /// Whether every request is refused, wherever the route leads.
    pub fn denies(&self) -> bool {
        self.filters.as_ref().is_some_and(|filters| filters.denies())
    }

    /// What is demanded of the client's certificate.
    pub fn client_tls(&self) -> Option<&Arc<ClientTls>> {
        self.filters.as_ref()?.request().iter().find_map(|filter| match filter {
            RequestFilter::ClientTls(demanded) => Some(demanded),
            _ => None,
        })
    }

    /// What decides on access.
    pub fn guards(&self) -> impl Iterator<Item = &RequestFilter> {
        let request = self.filters.iter().flat_map(|filters| filters.request());
        request.filter(|filter| filter.is_guard())
    }
}
