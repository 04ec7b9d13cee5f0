//! The target that endpoints get in place of the one that came, and where clients are sent that ask for a path.

use model::{Filters, Policy, RequestFilter, Rewrite, RootRedirect, Template};

use super::RouteSettings;
use crate::hosts::HostFacts;

/// What is asked of paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct RewriteSettings {
    /// Paths are regular expressions.
    pub(crate) use_regex: bool,
    /// The path that endpoints get, or a URL that clients are sent to.
    pub(crate) path: Option<Template>,
    /// What endpoints get as `X-Forwarded-Prefix`, where their path is another one.
    pub(crate) prefix: Option<Template>,
}

impl RewriteSettings {
    /// Whether the target of what matches this path of a rule is to be another one.
    pub(crate) fn changes(&self, path: &str) -> bool {
        self.path.as_ref().is_some_and(|rewrite| rewrite.as_str() != path)
    }
}

/// The filters that send clients elsewhere before anything else is asked.
pub(super) fn build_redirects(asked: &RouteSettings, host: HostFacts) -> [Option<RequestFilter>; 2] {
    let slash = host.path.needs_slash.then_some(RequestFilter::Slash);
    let url = path(asked, host).filter(|path| path.is_url());
    [slash, url.map(|url| RequestFilter::Elsewhere(url.clone()))]
}

/// The filter that changes the target.
pub(super) fn build(asked: &RouteSettings, host: HostFacts) -> Option<RequestFilter> {
    let path = path(asked, host).filter(|path| !path.is_url())?.clone();
    let prefix = asked.rewrite.prefix.clone();
    Some(RequestFilter::Rewrite(Rewrite { path, prefix }))
}

fn path(asked: &RouteSettings, host: HostFacts) -> Option<&Template> {
    asked.rewrite.path.as_ref().filter(|_| !host.path.is_kept && !host.path.is_catch_all)
}

/// What applies to the root of a host from which clients are sent to a path.
pub(crate) fn of_root(asked: &RouteSettings) -> Option<Policy> {
    let path = asked.app_root.clone()?;
    let filters = Filters::new(vec![RequestFilter::Root(RootRedirect { path })], Vec::new());
    Some(Policy { filters, ..Policy::default() })
}
