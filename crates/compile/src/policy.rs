//! From what was asked for to what applies to a route: each feature has one place that builds it, whichever source and
//! dialect asked for it.

mod access;
mod headers;
mod redirect;
mod rewrite;
mod settings;
mod upstream;

use std::sync::Arc;

use model::{Filters, Policy, RequestFilter, Transport};

use crate::hosts::HostFacts;
use crate::problems::Fault;

pub(crate) use rewrite::of_root;
pub(crate) use settings::RouteSettings;
pub(crate) use upstream::UpstreamSecret;

/// What applies to the routes of an object for one host.
pub(crate) struct Built {
    /// What applies to requests.
    pub(crate) policy: Arc<Policy>,
    /// How backends are spoken to.
    pub(crate) transport: Arc<Transport>,
}

/// The Secret for handshakes with endpoints that was asked for.
pub(crate) fn upstream_secret(asked: &RouteSettings) -> Option<UpstreamSecret> {
    upstream::secret(asked)
}

/// Builds it; tells of the fields by which something was asked for that cannot be had. What was to guard access, or to verify
/// endpoints, and cannot be had becomes [`RequestFilter::Deny`].
pub(crate) fn build(asked: &RouteSettings, host: HostFacts, mut tell: impl FnMut(String, Fault)) -> Built {
    let mut denied = asked.denied;
    if let Err((field, fault)) = upstream::check(asked) {
        denied |= fault.denies();
        tell(field, fault);
    }
    let RouteSettings { balance, timeouts, retry, .. } = *asked;
    let filters = filters(asked, denied, host);
    Built {
        policy: Arc::new(Policy { balance, timeouts, retry, filters }),
        transport: Arc::new(upstream::transport(asked)),
    }
}

/// The filters, none if nothing asks for one. Where all requests are refused there is nothing else to do with them.
fn filters(asked: &RouteSettings, denied: bool, host: HostFacts) -> Option<Box<Filters>> {
    if denied {
        return Filters::new(vec![RequestFilter::Deny], Vec::new());
    }
    // What serves all other hosts sends no client elsewhere, as with ingress-nginx.
    let https = redirect::build_https(asked, host).filter(|_| !host.path.is_catch_all);
    let request = [https, access::build(asked), headers::build_request(asked), rewrite::build(asked, host)];
    let request = rewrite::build_redirects(asked, host).into_iter().chain(request).flatten();
    let response = headers::build_response(asked).into_iter();
    Filters::new(request.collect(), response.collect())
}
