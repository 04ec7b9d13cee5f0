//! ingress-nginx' dialect. What has no reader here stands in [`unread`], with what is done about it; what decides on access and
//! is not honoured denies. All names stand in [`names`].

mod names;
mod unread;

pub(super) use names::RiskLevel;
pub(super) use names::risk;
pub(super) use unread::effect;

use super::{
    Dialect, Reader, access, affinity, auth, backend, canary, client_tls, cors, custom_headers, endpoint,
    limit, redirect, retry, size, snippet, time, upstream_fields,
};

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: unread::answer };

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

const ROWS: &[(&str, Reader)] = &[
    ("affinity", affinity::is_on),
    ("affinity-canary-behavior", canary::affinity),
    ("affinity-mode", affinity::mode),
    ("auth-tls-error-page", client_tls::error_page),
    ("auth-tls-match-cn", client_tls::subject),
    ("auth-tls-pass-certificate-to-upstream", client_tls::pass),
    ("auth-tls-secret", client_tls::qualified_secret),
    ("auth-tls-verify-client", client_tls::verify),
    ("auth-tls-verify-depth", client_tls::depth),
    ("auth-always-set-cookie", auth::always_set_cookie),
    ("auth-cache-duration", auth::cached),
    ("auth-cache-key", auth::cached),
    ("auth-keepalive", auth::kept_alive),
    ("auth-keepalive-requests", auth::kept_alive),
    ("auth-keepalive-share-vars", auth::kept_alive),
    ("auth-keepalive-timeout", auth::kept_alive),
    ("auth-method", auth::method),
    ("auth-proxy-set-headers", auth::proxy_set_headers),
    ("auth-realm", auth::realm),
    ("auth-request-redirect", auth::request_redirect),
    ("auth-response-headers", auth::response_headers),
    ("auth-secret", auth::secret),
    ("auth-secret-type", auth::secret_type),
    ("auth-signin", auth::sign_in),
    ("auth-signin-redirect-param", auth::sign_in_parameter),
    ("auth-type", auth::kind),
    ("auth-url", auth::url),
    ("backend-protocol", backend::protocol),
    ("canary", canary::is_one),
    ("canary-by-cookie", canary::cookie),
    ("canary-by-header", canary::header),
    ("canary-by-header-pattern", canary::header_pattern),
    ("canary-by-header-value", canary::header_value),
    ("canary-weight", canary::weight),
    ("canary-weight-total", canary::total),
    ("client-body-buffer-size", size::buffer),
    ("cors-allow-credentials", cors::credentials),
    ("cors-allow-headers", cors::headers),
    ("cors-allow-methods", cors::methods),
    ("cors-allow-origin", cors::origins),
    ("cors-expose-headers", cors::expose),
    ("cors-max-age", cors::max_age),
    ("custom-headers", custom_headers::custom),
    ("denylist-source-range", access::deny),
    ("enable-cors", cors::enable),
    ("enable-global-auth", auth::with_global),
    ("force-ssl-redirect", redirect::force_https),
    ("from-to-www-redirect", redirect::www),
    ("limit-burst-multiplier", limit::burst_factor),
    ("limit-connections", limit::in_flight),
    ("limit-rate", limit::kib_per_second),
    ("limit-rate-after", limit::kib_before),
    ("limit-rpm", limit::per_minute),
    ("limit-rps", limit::per_second),
    // The older name of the one below.
    ("limit-whitelist", limit::exempt),
    ("limit-allowlist", limit::exempt),
    ("load-balance", endpoint::nginx_balance),
    ("permanent-redirect", redirect::permanent),
    ("permanent-redirect-code", redirect::permanent_status),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-body-size", size::request_body),
    ("proxy-buffer-size", size::answer_head),
    ("proxy-buffering", size::buffering),
    ("proxy-buffers-number", size::buffers),
    ("proxy-busy-buffers-size", size::buffer),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-cookie-domain", upstream_fields::cookie_domain),
    ("proxy-cookie-path", upstream_fields::cookie_path),
    ("proxy-redirect-from", upstream_fields::place_from),
    ("proxy-redirect-to", upstream_fields::place_to),
    ("proxy-http-version", backend::http_version),
    ("proxy-max-temp-file-size", size::buffer),
    ("proxy-next-upstream", retry::on),
    ("proxy-next-upstream-timeout", retry::within_seconds),
    ("proxy-next-upstream-tries", retry::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-request-buffering", size::buffering),
    ("proxy-send-timeout", time::send_seconds),
    ("proxy-ssl-name", backend::tls_name),
    ("proxy-ssl-secret", backend::tls_secret),
    ("proxy-ssl-server-name", backend::send_tls_name),
    ("proxy-ssl-verify", backend::tls_verify),
    ("relative-redirects", redirect::relative),
    ("satisfy", auth::satisfy),
    ("service-upstream", endpoint::by_service),
    ("session-cookie-change-on-failure", affinity::change_on_failure),
    ("session-cookie-conditional-samesite-none", affinity::same_site_none_if_known),
    ("session-cookie-domain", affinity::domain),
    ("session-cookie-expires", affinity::expires),
    ("session-cookie-max-age", affinity::max_age),
    ("session-cookie-name", affinity::name),
    ("session-cookie-path", affinity::path),
    ("session-cookie-samesite", affinity::same_site),
    ("session-cookie-secure", affinity::secure),
    ("ssl-passthrough", client_tls::passthrough),
    ("ssl-redirect", redirect::https),
    ("temporal-redirect", redirect::temporal),
    ("temporal-redirect-code", redirect::temporal_status),
    ("upstream-hash-by", endpoint::hash_by),
    ("upstream-vhost", endpoint::upstream_host),
    ("use-port-in-redirects", redirect::name_port),
    // The older name of the one below, which counts where both are there.
    ("whitelist-source-range", access::allow),
    ("allowlist-source-range", access::allow),
    // In nginx' configuration they stand behind what the others make there.
    ("configuration-snippet", snippet::location),
    ("server-snippet", snippet::server),
];

/// What reads this word.
pub(super) fn reader(word: &str) -> Option<Reader> {
    ROWS.iter().find(|(known, _)| *known == word).map(|(_, reader)| *reader)
}
