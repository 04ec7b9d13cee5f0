//! ingress-nginx' dialect. What has no reader here stands in [`unread`], with what is done about it; what decides on access and
//! is not honoured denies. All names stand in [`names`].

mod names;
mod unread;

pub(super) use names::RiskLevel;
pub(super) use names::risk;
pub(super) use unread::effect;

use super::{Annotation, Dialect, Reader, access, backend, boolean, redirect, snippet, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: unread::answer };

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

const ROWS: &[(&str, Reader)] = &[
    ("backend-protocol", backend::protocol),
    ("canary", canary),
    ("denylist-source-range", access::deny),
    ("force-ssl-redirect", redirect::force_https),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-next-upstream-tries", time::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-ssl-name", backend::tls_name),
    ("proxy-ssl-secret", backend::tls_secret),
    ("proxy-ssl-server-name", backend::send_tls_name),
    ("proxy-ssl-verify", backend::tls_verify),
    ("ssl-redirect", redirect::https),
    // The older name of the one below, which counts where both are there.
    ("whitelist-source-range", access::allow),
    ("allowlist-source-range", access::allow),
    // In nginx' configuration they stand behind what the others make there.
    ("configuration-snippet", snippet::location),
    ("server-snippet", snippet::server),
];

/// Whether the Ingress is a variant of another one, for a share of its requests.
fn canary(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.canary = boolean(annotation)?;
    Ok(())
}
