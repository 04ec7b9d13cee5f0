//! Clients of TLS that are to speak it from now on.

use model::ResponseFilter;

use super::RouteSettings;
use crate::profile::Profile;

/// What `Strict-Transport-Security` says (RFC 6797).
#[derive(Clone, Debug)]
pub(crate) struct HstsSettings {
    /// Whether it is said.
    pub(crate) enabled: bool,
    /// For how many seconds it holds.
    pub(crate) max_age: u64,
    /// Whether it holds for all names below the host, too.
    pub(crate) subdomains: bool,
    /// Whether browsers may be shipped with it.
    pub(crate) preload: bool,
}

impl HstsSettings {
    /// What holds where nothing is said.
    pub(super) fn of(profile: Profile) -> HstsSettings {
        let enabled = profile == Profile::IngressNginx;
        HstsSettings { enabled, ..HstsSettings::default() }
    }
}

impl Default for HstsSettings {
    fn default() -> HstsSettings {
        HstsSettings { enabled: false, max_age: 31_536_000, subdomains: true, preload: false }
    }
}

/// The filter that says so.
pub(super) fn build(asked: &RouteSettings) -> Option<ResponseFilter> {
    let HstsSettings { enabled, max_age, subdomains, preload } = asked.hsts;
    let subdomains = if subdomains { "; includeSubDomains" } else { "" };
    let preload = if preload { "; preload" } else { "" };
    enabled.then(|| ResponseFilter::Hsts(format!("max-age={max_age}{subdomains}{preload}").into()))
}
