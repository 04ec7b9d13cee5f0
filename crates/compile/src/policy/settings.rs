//! What an object asks for its routes, in the words of no dialect.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use model::{Balance, HeaderEdit, Protocol, ProxyHeader, Retry, Timeouts};

use super::redirect::RedirectSettings;
use crate::profile::Profile;
use crate::tls::NamedSecret;

/// What an object asks for its routes.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteSettings {
    /// Whether something was asked for that guards access, or verifies endpoints, and that cannot be honoured.
    pub(crate) denied: bool,
    /// Whether the object is a variant of another one, for a share of its requests. Served by itself it could take them all.
    pub(crate) canary: bool,
    /// How endpoints share requests.
    pub(crate) balance: Balance,
    /// How long they may take.
    pub(crate) timeouts: Timeouts,
    /// How often a request is tried.
    pub(crate) retry: Retry,
    /// What is spoken with endpoints; if nothing, the Service says it.
    pub(crate) protocol: Option<Protocol>,
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
    /// The networks whose clients alone may use the route; any if empty.
    pub(crate) allow: Vec<IpNet>,
    /// The networks whose clients may not, even where they are allowed.
    pub(crate) deny: Vec<IpNet>,
    /// How paths are read, where feed's rules hold.
    pub(crate) locations: Locations,
    /// What sends clients elsewhere.
    pub(crate) redirect: RedirectSettings,
    /// Edits of requests' heads.
    pub(crate) request_headers: Vec<HeaderEdit>,
    /// Edits of responses' heads.
    pub(crate) response_headers: Vec<HeaderEdit>,
}

impl RouteSettings {
    /// What holds where an object says nothing.
    pub(crate) fn of(profile: Profile, balance: Balance) -> RouteSettings {
        let (redirect, locations) = (RedirectSettings::of(profile), Locations::of(profile));
        let timeouts = match profile {
            Profile::Feed => Timeouts { connect: Some(FEED_CONNECT), ..Timeouts::default() },
            Profile::Own | Profile::IngressNginx => Timeouts::default(),
        };
        RouteSettings { balance, timeouts, locations, redirect, ..RouteSettings::default() }
    }
}

/// feed's `nginx-backend-connect-timeout-seconds`.
const FEED_CONNECT: Duration = Duration::from_secs(1);

/// How paths of rules are read where feed's rules hold, whatever their type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locations {
    /// Whether they are read so.
    pub(crate) are_feeds: bool,
    /// Whether a path is matched whole.
    pub(crate) exact: bool,
    /// Whether endpoints get the target without it.
    pub(crate) strip: bool,
}

impl Locations {
    fn of(profile: Profile) -> Locations {
        let are_feeds = profile == Profile::Feed;
        Locations { are_feeds, exact: false, strip: are_feeds }
    }
}
