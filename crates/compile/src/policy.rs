//! From what was asked for to what applies to a route: each feature has one place that builds it, whichever source and
//! dialect asked for it.

mod access;
mod auth;
mod canary;
mod client_tls;
mod cors;
mod edge;
mod headers;
mod hsts;
mod limit;
mod redirect;
mod rewrite;
mod settings;
mod size;
mod time;
mod upstream;
mod upstream_fields;

use std::num::NonZeroU16;
use std::sync::Arc;

use model::{Filters, Policy, Redirect, RequestFilter, Retry, Transport};

use crate::hosts::{HostFacts, PathFacts};
use crate::problems::Fault;

pub(crate) use auth::{AuthUrl, SecretForm, UrlHost};
pub(crate) use canary::{CanarySettings, split};
pub(crate) use client_tls::client_tls;
pub(crate) use cors::CorsSettings;
pub(crate) use edge::of as edge_of;
pub(crate) use redirect::{RedirectSettings, to_www};
pub(crate) use rewrite::of_root;
pub(crate) use settings::{NamedConfigMap, RouteSettings};
pub(crate) use upstream::UpstreamSecret;

/// What is known of a route beside what its object asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteFacts<'h> {
    /// What is known of its host.
    pub(crate) host: HostFacts<'h>,
    /// Its clients may speak plain HTTP, whatever is asked for.
    pub(crate) keeps_http: bool,
    /// It serves what nothing else does.
    pub(crate) is_catch_all: bool,
    /// What is known of its path.
    pub(crate) path: PathFacts,
    /// Its requests need no password and no other server's word.
    pub(crate) is_open: bool,
}

/// What applies to the routes of an object of which the same is known.
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

/// What is said of a canary by an object that is none.
pub(crate) fn check_canary(asked: &RouteSettings) -> Option<Fault> {
    canary::check(asked)
}

/// Builds it; tells of the fields by which something was asked for that cannot be had. What was to guard access, or to verify
/// endpoints, and cannot be had becomes [`RequestFilter::Deny`].
pub(crate) fn build(
    asked: &RouteSettings,
    facts: RouteFacts<'_>,
    mut tell: impl FnMut(String, Fault),
) -> Built {
    let mut denied = asked.denied;
    for (field, fault) in [upstream::check(asked), auth::check(asked)].into_iter().filter_map(Result::err) {
        denied |= fault.denies();
        tell(field, fault);
    }
    if let Err((field, fault)) = client_tls::check(asked) {
        tell(field, fault);
    }
    let RouteSettings { balance, timeouts, mut retry, .. } = *asked;
    if asked.retry_is_off {
        retry = Retry { attempts: Some(NonZeroU16::MIN), ..Retry::default() };
    }
    let request_body_max = asked.size.request_body_max;
    let filters = filters(asked, denied, facts);
    Built {
        policy: Arc::new(Policy {
            balance,
            timeouts,
            retry,
            request_body_max,
            filters,
            edge: asked.edge.clone(),
        }),
        transport: Arc::new(upstream::transport(asked)),
    }
}

/// What applies to a route whose clients are all sent elsewhere, whatever else is asked for.
pub(crate) fn build_redirect(redirect: Redirect) -> Policy {
    Policy { filters: Filters::new(vec![RequestFilter::Redirect(redirect)], Vec::new()), ..Policy::default() }
}

/// The filters, none if nothing asks for one. Where all requests are refused there is nothing else to do with them.
fn filters(asked: &RouteSettings, denied: bool, facts: RouteFacts<'_>) -> Option<Box<Filters>> {
    let hsts = hsts::build(asked);
    if denied {
        return Filters::new(vec![RequestFilter::Deny], hsts.into_iter().collect());
    }
    let (preflight, origin) = cors::build(asked).unzip();
    let request = [
        redirect::build_slash(asked, facts),
        preflight,
        redirect::build(asked, facts),
        rewrite::build_elsewhere(asked, facts),
        redirect::build_https(asked, facts),
        limit::build(asked),
        access::build(asked, facts),
        auth::build(asked, facts),
        headers::build_request(asked),
        rewrite::build(asked, facts),
    ];
    let request = request.into_iter().flatten().chain(client_tls::build(facts.host));
    let response = [
        upstream_fields::build_place(asked),
        upstream_fields::build_cookies(asked),
        headers::build_response(asked),
        origin,
        hsts,
    ];
    Filters::new(request.collect(), response.into_iter().flatten().collect())
}
