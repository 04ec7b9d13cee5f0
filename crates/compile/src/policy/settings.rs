//! What an object asks for its routes, in the words of no dialect.

use std::sync::Arc;

use ipnet::IpNet;
use model::{
    Balance, Blocked, Edge, FrontendScheme, HeaderEdit, HostMatch, PathTemplate, Protocol, ProxyHeader,
    Retry, Template, Timeouts,
};

use super::affinity::AffinitySettings;
use super::auth::AuthSettings;
use super::canary::CanarySettings;
use super::client_tls::ClientTlsSettings;
use super::compress::CompressSettings;
use super::cors::CorsSettings;
use super::hsts::HstsSettings;
use super::limit::LimitSettings;
use super::pages::PageSettings;
use super::redirect::RedirectSettings;
use super::rewrite::RewriteSettings;
use super::size::SizeSettings;
use super::time;
use super::upstream_fields::UpstreamFieldSettings;
use crate::ObjectKey;
use crate::annotations::{Allowed, HostSnippet};
use crate::profile::Profile;
use crate::tcp_services::TcpSettings;
use crate::tls::NamedSecret;

/// What an object says of where clients come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SchemeSaid {
    #[default]
    Nothing,
    Unreadable,
    Scheme(FrontendScheme),
}

impl SchemeSaid {
    pub(crate) fn scheme(self) -> Option<FrontendScheme> {
        match self {
            SchemeSaid::Scheme(scheme) => Some(scheme),
            SchemeSaid::Nothing | SchemeSaid::Unreadable => None,
        }
    }
}

/// What an object asks for its routes.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteSettings {
    /// Whether something was asked for that guards access, or verifies endpoints, and that cannot be honoured.
    pub(crate) denied: bool,
    /// Whether the object is left out as a whole, as ingress-nginx does where some annotations cannot be read.
    pub(crate) left_out: bool,
    /// Whether the object is a variant of another one, and of which requests. Served by itself it could take them all.
    pub(crate) canary: CanarySettings,
    /// Which annotations are read.
    pub(crate) allowed: Allowed,
    /// What a snippet says of the hosts.
    pub(crate) host_snippet: Option<Arc<HostSnippet>>,
    /// What the operator's snippets say of all hosts.
    pub(crate) operators_snippets: Vec<Arc<HostSnippet>>,
    /// What is told of clients, and to them; if nothing, as the proxy does by itself.
    pub(crate) edge: Option<Arc<Edge>>,
    /// From where clients come, which is for DNS alone.
    pub(crate) scheme: SchemeSaid,
    /// Whether requests stay out of the access log.
    pub(crate) is_unlogged: bool,
    /// How endpoints share requests.
    pub(crate) balance: Balance,
    /// Whether clients stay with an endpoint.
    pub(crate) affinity: AffinitySettings,
    /// The text of which each has its endpoint.
    pub(crate) hash_by: Option<Template>,
    /// Whether requests go to the Service's own address, and not to its endpoints'.
    pub(crate) by_service: bool,
    /// The host that endpoints are asked for in the place of the client's.
    pub(crate) upstream_host: Option<Template>,
    /// How long they may take.
    pub(crate) timeouts: Timeouts,
    /// How often a request is tried.
    pub(crate) retry: Retry,
    /// Whether no request is tried again, whatever that says.
    pub(crate) retry_is_off: bool,
    /// Whether one whose method is not idempotent is, too.
    pub(crate) retry_is_for_all: bool,
    /// How much they may send and get.
    pub(crate) size: SizeSettings,
    /// What is spoken with endpoints; if nothing, the Service says it.
    pub(crate) protocol: Option<Protocol>,
    /// Whether http or https is, whichever the client speaks.
    pub(crate) protocol_of_client: bool,
    /// The PROXY header that connections to endpoints begin with.
    pub(crate) proxy_header: Option<ProxyHeader>,
    /// The Secret for TLS with endpoints, in the object's own namespace.
    pub(crate) tls_secret: Option<NamedSecret>,
    /// The field by which endpoints are to be verified.
    pub(crate) tls_verify: Option<String>,
    /// The name that endpoints' certificates are for; `Some(None)` for one that cannot be read.
    pub(crate) tls_name: Option<Option<Arc<str>>>,
    /// Whether endpoints are told that name (SNI).
    pub(crate) send_tls_name: bool,
    /// Clients that may not, by what they say of themselves.
    pub(crate) blocked: Arc<Blocked>,
    /// The networks whose clients alone may use the route; any if empty.
    pub(crate) allow: Vec<IpNet>,
    /// The networks whose clients may not, even where they are allowed.
    pub(crate) deny: Vec<IpNet>,
    /// The path that clients are sent to which ask for the root.
    pub(crate) app_root: Option<Arc<str>>,
    /// Names under which its hosts are served, too.
    pub(crate) aliases: Vec<HostMatch>,
    /// How its paths are read, where feed's rules hold.
    pub(crate) locations: Option<Locations>,
    /// What its paths are, and what endpoints get in their place.
    pub(crate) rewrite: RewriteSettings,
    /// What a request must have.
    pub(crate) auth: AuthSettings,
    /// What clients' certificates have to be, for the whole of each host.
    pub(crate) client_tls: ClientTlsSettings,
    /// The field by which clients shake hands with the endpoints themselves.
    pub(crate) passthrough: Option<String>,
    /// Whether the operator lets them.
    pub(crate) passthrough_is_allowed: bool,
    /// Which pages of other origins may read answers.
    pub(crate) cors: CorsSettings,
    /// How many requests a client may send.
    pub(crate) limit: LimitSettings,
    /// What sends clients elsewhere.
    pub(crate) redirect: RedirectSettings,
    /// The ConfigMaps whose fields are set, and where.
    pub(crate) field_maps: FieldMaps,
    /// Edits of requests' heads.
    pub(crate) request_headers: Vec<HeaderEdit>,
    /// Edits of responses' heads.
    pub(crate) response_headers: Vec<HeaderEdit>,
    /// What becomes of places and cookies that endpoints name.
    pub(crate) upstream_fields: UpstreamFieldSettings,
    /// What serves in the place of endpoints.
    pub(crate) pages: PageSettings,
    /// Whether clients of TLS are to speak it from now on.
    pub(crate) hsts: HstsSettings,
    /// Compression of responses.
    pub(crate) compress: CompressSettings,
    /// What holds for services of TCP.
    pub(crate) tcp_services: TcpSettings,
}

impl RouteSettings {
    /// What holds where an object says nothing.
    pub(crate) fn of(profile: Profile, balance: Option<Balance>) -> RouteSettings {
        let usual = match profile {
            Profile::Own | Profile::Feed => Balance::LeastRequest,
            Profile::IngressNginx => Balance::RoundRobin,
        };
        let balance = balance.unwrap_or(usual);
        RouteSettings {
            balance,
            timeouts: time::of(profile),
            size: SizeSettings::of(profile),
            redirect: RedirectSettings::of(profile),
            hsts: HstsSettings::of(profile),
            auth: AuthSettings::of(profile),
            edge: profile.edge(),
            locations: (profile == Profile::Feed).then(Locations::default),
            ..RouteSettings::default()
        }
    }
}

/// Fields that stand in ConfigMaps of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldMaps {
    /// Set in the answers of this object's routes.
    pub(crate) custom: Option<NamedConfigMap>,
    /// Set in every answer.
    pub(crate) in_answers: Option<NamedConfigMap>,
    /// Set in every request.
    pub(crate) in_requests: Option<NamedConfigMap>,
    /// The names that objects may have set, in lower case.
    pub(crate) allowed: Arc<[String]>,
    /// Whether objects may name a ConfigMap of another namespace.
    pub(crate) crosses_namespaces: bool,
}

/// A ConfigMap, and the field that names it.
#[derive(Clone, Debug)]
pub(crate) struct NamedConfigMap {
    pub(crate) key: ObjectKey,
    pub(crate) field: String,
}

/// How paths of rules are read where feed's rules hold, whatever their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locations {
    /// Whether a path is matched whole.
    pub(crate) exact: bool,
    /// Whether endpoints get the target without it.
    pub(crate) strip: bool,
}

impl Default for Locations {
    fn default() -> Locations {
        Locations { exact: false, strip: true }
    }
}

impl RouteSettings {
    /// Says in the words of all what is asked in those of feed.
    pub(crate) fn settle_locations(&mut self) {
        if let Some(Locations { exact, strip: true }) = self.locations {
            self.rewrite.path = Some(if exact { PathTemplate::root() } else { PathTemplate::below() });
        }
    }
}
