//! From what was asked for to what applies to a route: each feature has one place that builds it, whichever source and
//! dialect asked for it.

mod access;
mod affinity;
mod canary;
mod headers;
mod redirect;
mod settings;
mod upstream;

use std::sync::Arc;

use model::{Filters, Policy, RequestFilter, Transport};

use crate::hosts::HostFacts;
use crate::problems::Fault;

pub(crate) use canary::{CanarySettings, split};
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

/// What is said of a canary by an object that is none, and the like: it has no effect.
pub(crate) fn check(asked: &RouteSettings) -> impl Iterator<Item = Fault> {
    canary::check(asked).into_iter().chain(affinity::check(asked))
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
    let (keyed, filters) = (affinity::build(asked), filters(asked, denied, host));
    Built {
        policy: Arc::new(Policy { balance, keyed, timeouts, retry, filters }),
        transport: Arc::new(upstream::transport(asked)),
    }
}

/// The filters, none if nothing asks for one. Where all requests are refused there is nothing else to do with them.
fn filters(asked: &RouteSettings, denied: bool, host: HostFacts) -> Option<Box<Filters>> {
    if denied {
        return Filters::new(vec![RequestFilter::Deny], Vec::new());
    }
    let request = [
        redirect::build_https(asked, host),
        access::build(asked),
        upstream::build_host(asked),
        headers::build_request(asked),
    ];
    let request = request.into_iter().flatten();
    let response = headers::build_response(asked).into_iter();
    Filters::new(request.collect(), response.collect())
}
