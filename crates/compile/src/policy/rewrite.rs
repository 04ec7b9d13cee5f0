//! The target that endpoints get in place of the one that came, and where clients are sent that ask for a path.

use model::{
    Filters, Location, LocationPart, PathTemplate, Policy, Redirect, RequestFilter, RequestValue, Rewrite,
};

use super::{RouteFacts, RouteSettings, client_tls};
use crate::hosts::HostFacts;

/// What is asked of paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct RewriteSettings {
    /// Paths are regular expressions.
    pub(crate) use_regex: bool,
    /// The path that endpoints get, or a URL that clients are sent to.
    pub(crate) path: Option<PathTemplate>,
    /// What endpoints get as `X-Forwarded-Prefix`, where their path is another one.
    pub(crate) prefix: Option<PathTemplate>,
}

impl RewriteSettings {
    /// Whether the target of what matches this path of a rule is to be another one.
    pub(crate) fn changes(&self, path: &str) -> bool {
        self.path.as_ref().is_some_and(|rewrite| rewrite.as_str() != path)
    }
}

/// The filter that sends clients to a URL that what their path has matched is put into.
pub(super) fn build_elsewhere(asked: &RouteSettings, facts: RouteFacts<'_>) -> Option<RequestFilter> {
    path(asked, facts).filter(|path| path.is_url()).map(|url| RequestFilter::Elsewhere(url.clone()))
}

/// The filter that changes the target.
pub(super) fn build(asked: &RouteSettings, facts: RouteFacts<'_>) -> Option<RequestFilter> {
    let path = path(asked, facts).filter(|path| !path.is_url())?.clone();
    let prefix = asked.rewrite.prefix.clone();
    Some(RequestFilter::Rewrite(Rewrite { path, prefix }))
}

/// What serves all other hosts keeps its target, as with ingress-nginx.
fn path<'a>(asked: &'a RouteSettings, facts: RouteFacts<'_>) -> Option<&'a PathTemplate> {
    asked.rewrite.path.as_ref().filter(|_| !facts.path.is_kept && !facts.is_catch_all)
}

/// What applies to the root of a host from which clients are sent to a path.
pub(crate) fn of_root(asked: &RouteSettings, host: HostFacts<'_>) -> Option<Policy> {
    let value = LocationPart::Value;
    let parts = [
        value(RequestValue::Scheme),
        LocationPart::text("://"),
        value(RequestValue::HostField),
        LocationPart::Text(asked.app_root.clone()?),
    ];
    let root = RequestFilter::Redirect(Redirect { status: 302, to: Location::new(parts) });
    let filters = Filters::new(client_tls::build(host).chain([root]).collect(), Vec::new());
    Some(Policy { filters, ..Policy::default() })
}
