//! Answers that send clients elsewhere.

use model::{HostName, Location, LocationPart, Redirect, RequestFilter, RequestValue};

use super::{RouteFacts, RouteSettings};
use crate::profile::Profile;
use crate::source::Serves;

/// What sends clients elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct RedirectSettings {
    /// To https, where the host has a certificate.
    pub(crate) https: bool,
    /// To https, wherever the certificate is.
    pub(crate) force_https: bool,
    /// The target loses the slash that it ends with on its way to https.
    pub(crate) drop_trailing_slash: bool,
    /// The status on the way to https and between names with and without `www.`.
    pub(crate) status: u16,
    /// What the paths of routes begin with whose clients are not sent to https.
    pub(crate) keep_http: Vec<String>,
    /// Somewhere for now, and so it goes before the one below.
    pub(crate) temporal: Option<Location>,
    /// The status for that.
    pub(crate) temporal_status: u16,
    /// Somewhere for ever.
    pub(crate) permanent: Option<Location>,
    /// The status for that.
    pub(crate) permanent_status: u16,
    /// From the host with `www.` to the one without, or the other way round.
    pub(crate) www: bool,
    /// A place on the same host is named without that host.
    pub(crate) relative: bool,
    /// A place on the same host is named with its port.
    pub(crate) name_port: bool,
    /// None of the three before is served: one of them could not be read.
    pub(crate) is_void: bool,
    /// A default backend without rules sends nobody anywhere.
    pub(crate) spare_catch_all: bool,
}

impl Default for RedirectSettings {
    fn default() -> RedirectSettings {
        RedirectSettings {
            https: false,
            force_https: false,
            drop_trailing_slash: false,
            // Permanent, and the method stays (RFC 9110 §15.4.9).
            status: 308,
            keep_http: Vec::new(),
            temporal: None,
            temporal_status: 302,
            permanent: None,
            permanent_status: 301,
            www: false,
            relative: false,
            name_port: false,
            is_void: false,
            spare_catch_all: false,
        }
    }
}

impl RedirectSettings {
    /// What holds where an object says nothing.
    pub(super) fn of(profile: Profile) -> RedirectSettings {
        match profile {
            Profile::Own => RedirectSettings::default(),
            // What its own redirects name is nginx' port, and http whatever the client speaks.
            Profile::Feed => RedirectSettings { relative: true, ..RedirectSettings::default() },
            Profile::IngressNginx => RedirectSettings {
                https: true,
                drop_trailing_slash: true,
                keep_http: vec!["/.well-known/acme-challenge".into()],
                spare_catch_all: true,
                ..RedirectSettings::default()
            },
        }
    }

    /// Whether the name with `www.` leads to the one without, or the other way round.
    pub(crate) fn leads_www(&self) -> bool {
        self.www && !self.is_void
    }

    /// Whether clients of what a route serves may speak plain HTTP, whatever is asked for.
    pub(crate) fn keeps_http(&self, serves: &Serves) -> bool {
        let path = match serves {
            Serves::Path(_, path) => &path.written,
            Serves::Rest { .. } => "/",
        };
        // ingress-nginx compares with a Prefix that ends with a slash.
        let begins = |with: &String| path.starts_with(&**with) || with.strip_suffix('/') == Some(path);
        self.keep_http.iter().any(begins)
    }
}

/// The filter that sends clients to https.
pub(super) fn build_https(asked: &RouteSettings, facts: RouteFacts) -> Option<RequestFilter> {
    let asked = &asked.redirect;
    let is_on = asked.force_https || (asked.https && facts.host.has_tls);
    if !is_on || facts.keeps_http || (facts.is_catch_all && asked.spare_catch_all) {
        return None;
    }
    let port = asked.name_port.then(|| LocationPart::text(":443"));
    let target = match asked.drop_trailing_slash {
        true => RequestValue::TargetWithoutSlash,
        false => RequestValue::Target,
    };
    let host = LocationPart::Value(RequestValue::ClientHostName);
    let parts = [Some(LocationPart::text("https://")), Some(host), port, Some(LocationPart::Value(target))];
    let to = Location::new(parts.into_iter().flatten());
    Some(RequestFilter::Https(Redirect { status: asked.status, to }))
}

/// The filter that sends clients to the slash that the path of the route ends with.
pub(super) fn build_slash(asked: &RouteSettings, facts: RouteFacts) -> Option<RequestFilter> {
    let value = LocationPart::Value;
    let slash = LocationPart::text("/");
    let query = [value(RequestValue::QueryMark), value(RequestValue::Query)];
    let path = Location::new([value(RequestValue::Path), slash].into_iter().chain(query));
    let RedirectSettings { relative, name_port, .. } = asked.redirect;
    let to = if relative { path } else { on_host(&path, name_port) };
    facts.path.needs_slash.then_some(RequestFilter::Slash(Redirect { status: 301, to }))
}

/// The filter that sends all clients elsewhere.
pub(super) fn build(asked: &RouteSettings, facts: RouteFacts) -> Option<RequestFilter> {
    let asked = &asked.redirect;
    if asked.is_void || (facts.is_catch_all && asked.spare_catch_all) {
        return None;
    }
    let temporal = asked.temporal.as_ref().map(|to| (asked.temporal_status, to));
    let (status, to) =
        temporal.or_else(|| asked.permanent.as_ref().map(|to| (asked.permanent_status, to)))?;
    let is_path = match to.parts().first()? {
        LocationPart::Text(text) => text.starts_with('/'),
        LocationPart::Value(value) => matches!(value, RequestValue::Target | RequestValue::Path),
    };
    let redirect = Redirect { status, to: to.clone() };
    let names_host = is_path && !asked.relative && redirect.is_followed();
    let to = if names_host { on_host(to, asked.name_port) } else { redirect.to };
    Some(RequestFilter::Redirect(Redirect { status, to }))
}

/// The place with the host that the request is for.
fn on_host(path: &Location, name_port: bool) -> Location {
    let port = name_port.then_some(LocationPart::Value(RequestValue::PortIfUnusual));
    let host = LocationPart::Value(RequestValue::Host);
    let host = [LocationPart::Value(RequestValue::Scheme), LocationPart::text("://"), host];
    Location::new(host.into_iter().chain(port).chain(path.parts().iter().cloned()))
}

/// To the name with or without `www.`, always with its port, as ingress-nginx does.
pub(crate) fn to_www(asked: &RouteSettings, host: &HostName) -> Redirect {
    let parts = [
        LocationPart::Value(RequestValue::ClientScheme),
        LocationPart::text(&format!("://{host}:")),
        LocationPart::Value(RequestValue::ClientPort),
        LocationPart::Value(RequestValue::TargetWithoutSlash),
    ];
    Redirect { status: asked.redirect.status, to: Location::new(parts) }
}
