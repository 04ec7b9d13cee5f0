//! Passwords, and other servers' words on requests.

use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Auth, AuthServer, BackendKey, CacheTime, ExternalAuth, PasswordAuth, RequestFilter, Template, Users,
    WordCache,
};

use super::{NamedConfigMap, RouteFacts, RouteSettings, access};
use crate::problems::Fault;
use crate::profile::Profile;
use crate::tls::NamedSecret;

/// Where cert-manager's answers to a CA are: who may use a route is not asked there (ingress-nginx' `no-auth-locations`).
const OPEN: &str = "/.well-known/acme-challenge";

/// What a request must have.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthSettings {
    /// The field that asks for passwords.
    pub(crate) passwords: Option<String>,
    /// The Secret with the passwords.
    pub(crate) secret: Option<NamedSecret>,
    /// How they are written there.
    pub(crate) form: SecretForm,
    /// What clients are told that they log in to.
    pub(crate) realm: Arc<str>,
    /// What the Secret has; none as long as that is not known.
    pub(crate) users: Option<Arc<Users>>,
    /// One of several ways in is enough.
    pub(crate) any: bool,
    /// Another server's word.
    pub(crate) external: ExternalSettings,
    /// That of the server which is asked where an object names none.
    pub(crate) global: ExternalSettings,
    /// The object wants no such word.
    pub(crate) without_global: bool,
    /// What paths begin with that need nothing of all this.
    pub(crate) open: Vec<Arc<str>>,
}

/// How a Secret has passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SecretForm {
    /// A file as `htpasswd` writes it, in the entry `auth`.
    #[default]
    File,
    /// An entry for each user.
    Map,
}

/// Another server's word.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExternalSettings {
    /// Where it is asked, and the field that says so.
    pub(crate) url: Option<(AuthUrl, String)>,
    /// With which method.
    pub(crate) method: Option<Arc<str>>,
    /// Where clients are sent in place of a 401, as it was written.
    pub(crate) sign_in: Option<String>,
    /// The parameter in which that place is told where they came from.
    pub(crate) sign_in_parameter: Option<String>,
    /// What the server is told of that.
    pub(crate) request_redirect: Option<Template>,
    /// Fields of its answers that endpoints get.
    pub(crate) response_headers: Vec<Arc<str>>,
    /// Whether clients get its cookies with errors, too.
    pub(crate) always_set_cookie: bool,
    /// The ConfigMap whose fields it is sent.
    pub(crate) field_map: Option<NamedConfigMap>,
    /// Fields that it is sent, in lower case; those that stand later count.
    pub(crate) request_headers: Vec<(Arc<str>, Template)>,
    /// Requests with the same text get the same word, for a while.
    pub(crate) cache_key: Option<Template>,
    /// How long which words are kept; if nothing is said, as ingress-nginx keeps them.
    pub(crate) cache_times: Option<Arc<[CacheTime]>>,
    /// The server, once it was looked for.
    pub(crate) server: Option<AuthServer>,
}

/// A URL that another server is asked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthUrl {
    pub(crate) is_https: bool,
    pub(crate) host: UrlHost,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) target: Template,
    /// The host as it was written, which is what the server is told.
    pub(crate) host_field: Template,
}

/// The host of such a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UrlHost {
    /// That of the request.
    Own,
    /// A DNS name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl AuthSettings {
    /// What holds where an object says nothing.
    pub(super) fn of(profile: Profile) -> AuthSettings {
        let open = match profile {
            Profile::Own | Profile::Feed => Vec::new(),
            Profile::IngressNginx => vec![OPEN.into()],
        };
        AuthSettings { open, ..AuthSettings::default() }
    }

    /// Whether requests for this path of a rule need nothing of all this.
    pub(crate) fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|begin| path.starts_with(&**begin))
    }

    /// Lets the server be asked that is asked everywhere, if the object names none and does not refuse.
    pub(crate) fn complete(&mut self) {
        let global = std::mem::take(&mut self.global);
        if self.external.url.is_none() && global.url.is_some() && !self.without_global {
            self.external = global;
        }
    }

    fn is_asked(&self, facts: RouteFacts) -> bool {
        !facts.is_open && (self.passwords.is_some() || self.external.url.is_some())
    }
}

/// Whether what was asked for is whole.
pub(super) fn check(asked: &RouteSettings) -> Result<(), (String, Fault)> {
    // What is wrong with them is told already.
    if asked.denied {
        return Ok(());
    }
    let denied = |field: &str, message: &str, remedy: &str| {
        let message = format!("{message}, so the whole Ingress is answered 503");
        Err((field.to_owned(), Fault::denied(message, remedy)))
    };
    match (&asked.auth.passwords, &asked.auth.secret) {
        (Some(field), None) => denied(field, "no Secret has the passwords", "name one with auth-secret"),
        (None, Some(named)) => denied(
            &named.field,
            "names a Secret with passwords, and nothing says that they are asked for",
            "write auth-type: basic, or remove it",
        ),
        _ => Ok(()),
    }
}

/// Whether addresses are one of several ways in, and no filter of their own.
pub(super) fn has_addresses(asked: &RouteSettings, facts: RouteFacts) -> bool {
    asked.auth.any && asked.auth.is_asked(facts)
}

/// The filter that asks for it. What cannot be had denies.
pub(super) fn build(asked: &RouteSettings, facts: RouteFacts) -> Option<RequestFilter> {
    let settings = &asked.auth;
    if !settings.is_asked(facts) {
        return None;
    }
    let password = match (&settings.passwords, &settings.users) {
        (Some(_), Some(users)) => {
            Some(PasswordAuth { realm: Arc::clone(&settings.realm), users: Arc::clone(users) })
        }
        (Some(_), None) => return Some(RequestFilter::Deny),
        (None, _) => None,
    };
    let external = match (&settings.external.url, external(&settings.external)) {
        (Some(_), None) => return Some(RequestFilter::Deny),
        (_, external) => external,
    };
    let any = settings.any.then(|| access::rules(asked));
    Some(RequestFilter::Auth(Box::new(Auth { any, password, external })))
}

fn external(asked: &ExternalSettings) -> Option<ExternalAuth> {
    let (url, server) = (&asked.url.as_ref()?.0, asked.server.clone()?);
    let sign_in = match asked.sign_in.as_deref() {
        // It was read once already.
        Some(url) => Some(Template::parse(&sign_in(url, asked.sign_in_parameter.as_deref())).ok()?),
        None => None,
    };
    Some(ExternalAuth {
        server,
        target: url.target.clone(),
        host: url.host_field.clone(),
        method: asked.method.clone(),
        sign_in,
        request_redirect: asked.request_redirect.clone(),
        response_headers: asked.response_headers.clone().into(),
        request_headers: asked.request_headers.clone().into(),
        cache: asked.cache_key.clone().map(|key| WordCache {
            key,
            times: asked.cache_times.clone().unwrap_or_else(|| CacheTime::usual().into()),
        }),
        always_set_cookie: asked.always_set_cookie,
    })
}

/// Where clients are sent, with the parameter that says where they came from, unless it has that already.
fn sign_in(url: &str, parameter: Option<&str>) -> String {
    let parameter = parameter.unwrap_or("rd");
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let has_it = query
        .split('&')
        .any(|pair| pair.split_once('=').is_some_and(|(name, value)| name == parameter && !value.is_empty()));
    if has_it {
        return url.to_owned();
    }
    let begin = if query.is_empty() { '?' } else { '&' };
    format!("{url}{begin}{parameter}=$pass_access_scheme://$http_host$escaped_request_uri")
}

impl AuthUrl {
    /// The name of the server as a backend of its own, if it is no Service's.
    pub(crate) fn backend(&self) -> Option<BackendKey> {
        let service = match &self.host {
            UrlHost::Own => return None,
            UrlHost::Name(name) => name.clone(),
            UrlHost::Address(address) => address.to_string(),
        };
        let transport = super::upstream::of_url(self);
        let port = self.port.to_string().into();
        Some(BackendKey {
            namespace: "".into(),
            service: service.into(),
            port,
            transport: Arc::new(transport),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_to_sign_in_is_told_where_the_client_came_from_once() {
        let came = "$pass_access_scheme://$http_host$escaped_request_uri";
        for (url, parameter, whole) in [
            ("https://a/start", None, format!("https://a/start?rd={came}")),
            ("https://a/start", Some("next"), format!("https://a/start?next={came}")),
            ("https://a/start?x=1", None, format!("https://a/start?x=1&rd={came}")),
            ("https://a/start?rd=", None, format!("https://a/start?rd=&rd={came}")),
            ("https://a/start?rd=$request_uri", None, "https://a/start?rd=$request_uri".into()),
        ] {
            assert_eq!(sign_in(url, parameter), whole);
            assert!(Template::parse(&whole).is_ok());
        }
    }
}
