//! Answers that send clients elsewhere.

use model::{HttpsRedirect, RequestFilter};

use super::RouteSettings;
use crate::hosts::HostFacts;
use crate::profile::Profile;

/// What sends clients elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedirectSettings {
    /// To https, where the host has a certificate.
    pub(crate) https: bool,
    /// To https, wherever the certificate is.
    pub(crate) force_https: bool,
    /// The target loses the slash that it ends with.
    pub(crate) drop_trailing_slash: bool,
}

impl RedirectSettings {
    /// What holds where an object says nothing.
    pub(super) fn of(profile: Profile) -> RedirectSettings {
        match profile {
            Profile::Own | Profile::Feed => RedirectSettings::default(),
            Profile::IngressNginx => {
                RedirectSettings { https: true, drop_trailing_slash: true, ..RedirectSettings::default() }
            }
        }
    }
}

/// Permanent, and the method stays (RFC 9110 §15.4.9); ingress-nginx' `http-redirect-code`.
const HTTPS_STATUS: u16 = 308;

/// The filter that sends clients to https.
pub(super) fn build_https(asked: &RouteSettings, host: HostFacts) -> Option<RequestFilter> {
    let asked = &asked.redirect;
    let is_on = asked.force_https || (asked.https && host.has_tls);
    is_on.then_some(RequestFilter::Https(HttpsRedirect {
        status: HTTPS_STATUS,
        drop_trailing_slash: asked.drop_trailing_slash,
    }))
}
