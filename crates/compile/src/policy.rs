//! From what was asked for to what applies to a route: each feature has one place that builds it, whichever source and
//! dialect asked for it.

mod access;
mod affinity;
mod auth;
mod blocked;
mod canary;
mod client_tls;
mod compress;
mod cors;
mod edge;
mod headers;
mod hsts;
mod limit;
mod pages;
mod passthrough;
mod redirect;
mod rewrite;
mod settings;
mod size;
mod time;
mod upstream;
mod upstream_fields;

use std::num::NonZeroU16;
use std::sync::Arc;

use model::{Filters, Policy, Redirect, RequestFilter, Retry, RetryOn, Transport};

use crate::hosts::{HostFacts, PathFacts};
use crate::problems::Fault;

pub(crate) use auth::{AuthUrl, SecretForm, UrlHost};
pub(crate) use canary::{CanarySettings, split};
pub(crate) use client_tls::client_tls;
pub(crate) use cors::CorsSettings;
pub(crate) use edge::of as edge_of;
pub(crate) use pages::PageBackends;
pub(crate) use redirect::{RedirectSettings, to_www};
pub(crate) use rewrite::of_root;
pub(crate) use settings::{Locations, NamedConfigMap, RouteSettings, SchemeSaid};
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
    /// How they are where TLS is spoken with the client, if that is another way.
    pub(crate) transport_of_secure: Option<Arc<Transport>>,
}

/// The Secret for handshakes with endpoints that was asked for.
pub(crate) fn upstream_secret(asked: &RouteSettings) -> Option<UpstreamSecret> {
    upstream::secret(asked)
}

/// What is said of a canary by an object that is none, and the like: it has no effect.
pub(crate) fn check(asked: &RouteSettings) -> impl Iterator<Item = Fault> {
    canary::check(asked).into_iter().chain(affinity::check(asked))
}

/// Whether clients stay by a cookie that is for the paths of its route.
pub(crate) fn names_no_cookie_path(policy: &Policy) -> bool {
    affinity::names_no_path(policy)
}

/// What is told of such a cookie where these are those of a pattern.
pub(crate) fn cookie_of_pattern(pattern: &str) -> Fault {
    affinity::of_pattern(pattern)
}

/// Builds it; tells of the fields by which something was asked for that cannot be had. What was to guard access, or to verify
/// endpoints, and cannot be had becomes [`RequestFilter::Deny`].
pub(crate) fn build(
    asked: &RouteSettings,
    facts: RouteFacts<'_>,
    pages: &PageBackends,
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
    if asked.retry_is_for_all {
        retry.on = Some(retry.on.unwrap_or(RetryOn::ERROR).and(RetryOn::NON_IDEMPOTENT));
    }
    let request_body_max = asked.size.request_body_max;
    let (keyed, filters) = (affinity::build(asked), filters(asked, denied, facts, pages));
    if let Err((field, fault)) = passthrough::check(asked, filters.as_deref()) {
        tell(field, fault);
    }
    let passes_tls = asked.passthrough.is_some() && asked.passthrough_is_allowed;
    Built {
        policy: Arc::new(Policy {
            balance,
            keyed,
            timeouts,
            retry,
            passes_tls,
            request_body_max,
            filters,
            edge: asked.edge.clone(),
            is_unlogged: asked.is_unlogged,
        }),
        transport: Arc::new(upstream::transport(asked)),
        transport_of_secure: upstream::transport_of_secure(asked).map(Arc::new),
    }
}

/// What applies to a route whose clients are all sent elsewhere, whatever else is asked for.
pub(crate) fn build_redirect(redirect: Redirect) -> Policy {
    Policy { filters: Filters::new(vec![RequestFilter::Redirect(redirect)], Vec::new()), ..Policy::default() }
}

/// The filters, none if nothing asks for one. Where all requests are refused there is nothing else to do with them.
fn filters(
    asked: &RouteSettings,
    denied: bool,
    facts: RouteFacts<'_>,
    pages: &PageBackends,
) -> Option<Box<Filters>> {
    let hsts = hsts::build(asked);
    if denied {
        return Filters::new(vec![RequestFilter::Deny], hsts.into_iter().collect());
    }
    let (preflight, origin) = cors::build(asked).unzip();
    let request = [
        blocked::build(asked),
        redirect::build_slash(asked, facts),
        preflight,
        redirect::build(asked, facts),
        rewrite::build_elsewhere(asked, facts),
        redirect::build_https(asked, facts),
        limit::build(asked),
        access::build(asked, facts),
        auth::build(asked, facts),
        upstream::build_host(asked),
        headers::build_request(asked),
        rewrite::build(asked, facts),
    ];
    let request = request.into_iter().flatten().chain(client_tls::build(facts.host));
    let response = [
        pages::build(asked, pages),
        upstream_fields::build_place(asked),
        upstream_fields::build_cookies(asked),
        headers::build_response(asked),
        origin,
        hsts,
        compress::build(asked),
        limit::build_throttle(asked),
    ];
    Filters::new(request.collect(), response.into_iter().flatten().collect())
}
