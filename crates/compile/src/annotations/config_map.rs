//! The keys of ingress-nginx' ConfigMap that are the default of an annotation: what an Ingress says itself goes before them.
//!
//! To add one: a row here, with the reader of its annotation. A key that has no value counts as absent, as a Helm chart
//! writes those that are not set.

mod keys;

use self::keys::{AS_IT_IS, BY_FLAG, GUARDS, NO_MEANING};
use super::{
    Annotation, Dialect, Reader, access, auth, backend, blocked, compress, custom_headers, edge, endpoint,
    hsts, limit, log, pages, redirect, retry, size, snippet, tcp_services, time, upstream_fields,
};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: "", rows: ROWS, other: not_honoured };

const ROWS: &[(&str, Reader)] = &[
    // These three are read before all others, and hold without being written (`allowed`).
    ("allow-snippet-annotations", nothing_to_add),
    ("annotation-value-word-blocklist", nothing_to_add),
    ("annotations-risk-level", nothing_to_add),
    ("add-headers", custom_headers::in_answers),
    ("allow-backend-server-header", edge::shows_server),
    ("allow-cross-namespace-resources", custom_headers::cross_namespaces),
    ("client-body-buffer-size", size::buffer),
    ("block-cidrs", access::deny),
    ("block-referers", blocked::referers),
    ("block-user-agents", blocked::user_agents),
    ("compute-full-forwarded-for", edge::tells_chain),
    ("custom-http-errors", pages::statuses_by_default),
    ("denylist-source-range", access::deny),
    ("disable-proxy-intercept-errors", pages::spare_endpoints),
    ("disable-access-log", log::disable),
    ("enable-underscores-in-headers", edge::underscores),
    ("force-ssl-redirect", redirect::force_https),
    ("global-auth-always-set-cookie", auth::global_always_set_cookie),
    ("global-auth-cache-duration", auth::global_cache_duration),
    ("global-auth-cache-key", auth::global_cache_key),
    ("global-auth-method", auth::global_method),
    ("global-auth-request-redirect", auth::global_request_redirect),
    ("global-auth-response-headers", auth::global_response_headers),
    ("global-auth-signin", auth::global_sign_in),
    ("global-auth-signin-redirect-param", auth::global_sign_in_parameter),
    ("global-auth-url", auth::global_url),
    // Behind the one above, without which it says nothing.
    ("global-auth-snippet", auth::global_snippet),
    ("forwarded-for-header", edge::for_field),
    ("forwarded-host-header", edge::host_field),
    ("generate-request-id", edge::makes_request_id),
    ("global-allowed-response-headers", custom_headers::allowed),
    ("gzip-level", compress::level),
    ("gzip-min-length", compress::length_min),
    ("gzip-types", compress::types),
    ("hide-headers", edge::hide),
    ("hsts", hsts::enable),
    ("hsts-include-subdomains", hsts::subdomains),
    ("hsts-max-age", hsts::max_age),
    ("hsts-preload", hsts::preload),
    ("http-redirect-code", redirect::status),
    ("http-snippet", snippet::operators_http),
    ("location-snippet", snippet::operators_location),
    ("limit-conn-status-code", limit::in_flight_status),
    ("limit-rate", limit::kib_per_second),
    ("limit-rate-after", limit::kib_before),
    ("limit-req-status-code", limit::rate_status),
    ("no-auth-locations", auth::open_locations),
    ("ignore-invalid-headers", edge::ignores_names),
    ("load-balance", endpoint::nginx_balance),
    ("no-tls-redirect-locations", redirect::keep_http),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-add-original-uri-header", edge::tells_target),
    ("proxy-body-size", size::request_body),
    ("proxy-buffer-size", size::answer_head),
    ("proxy-buffering", size::buffering),
    ("proxy-buffers-number", size::buffers),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-cookie-domain", upstream_fields::cookie_domain),
    ("proxy-cookie-path", upstream_fields::cookie_path),
    ("proxy-http-version", backend::http_version),
    ("proxy-max-temp-file-size", size::buffer),
    ("proxy-next-upstream", retry::on),
    ("proxy-next-upstream-timeout", retry::within_seconds),
    ("proxy-next-upstream-tries", retry::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-real-ip-cidr", edge::real_ip_from),
    ("proxy-redirect-from", upstream_fields::place_from),
    ("proxy-redirect-to", upstream_fields::place_to),
    ("proxy-request-buffering", size::buffering),
    ("proxy-send-timeout", time::send_seconds),
    ("proxy-stream-next-upstream", tcp_services::next_upstream),
    ("proxy-stream-next-upstream-timeout", tcp_services::try_for),
    ("proxy-stream-next-upstream-tries", tcp_services::tries),
    ("proxy-stream-timeout", tcp_services::idle_timeout),
    ("relative-redirects", redirect::relative_by_default),
    ("retry-non-idempotent", retry::non_idempotent),
    ("proxy-set-headers", custom_headers::in_requests),
    ("server-snippet", snippet::operators_server),
    ("service-upstream", endpoint::by_service),
    ("ssl-redirect", redirect::https),
    ("use-forwarded-headers", edge::use_forwarded_headers),
    // Behind the one above, which says it too.
    ("enable-real-ip", edge::enable_real_ip),
    ("use-gzip", compress::use_gzip),
    ("use-port-in-redirects", redirect::name_port),
    ("whitelist-source-range", access::allow),
];

fn nothing_to_add(_: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    Ok(())
}

/// The fault of a reader in the words for a key.
pub(super) fn told(fault: Fault) -> Fault {
    let reason = match fault.reason {
        reasons::INVALID_ANNOTATION => reasons::INVALID_SETTING,
        reasons::UNSUPPORTED_ANNOTATION => reasons::UNSUPPORTED_SETTING,
        reason => reason,
    };
    let message = fault.message.replace("the whole Ingress is", "every Ingress that it holds for is");
    Fault { reason, message, ..fault }
}

/// Tells of a key that is not read: with the flag that does it, as one that nothing is lost without, or as one that would refuse
/// clients; for then no Ingress of the profile is served, as with an annotation that guards.
fn not_honoured(
    Annotation { name, value, .. }: &Annotation<'_>,
    _: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    if NO_MEANING.contains(name) || AS_IT_IS.contains(&(name, value.trim())) {
        return Ok(());
    }
    let unsupported = |message: String, remedy: String| {
        Err(Fault::warning(reasons::UNSUPPORTED_SETTING, message, remedy).into())
    };
    if let Some((_, flag)) = BY_FLAG.iter().find(|(key, _)| key == name) {
        let message = format!("{name} is not read here: it concerns the whole process");
        return unsupported(message, format!("start with {flag}"));
    }
    if GUARDS.contains(name) && *value != "false" {
        let message = format!(
            "{name} restricts access and is not honoured, so every Ingress that it holds for is answered 503"
        );
        return Err(Fault::denied(
            message,
            "remove it if every client may have access; otherwise guard each Ingress",
        )
        .into());
    }
    let message = format!("{} is not honoured and has no effect", super::shown(name));
    unsupported(message, "remove it, or keep to the controller that honours it".into())
}

#[cfg(test)]
mod tests {
    use super::keys::{BY_FLAG, GUARDS, NO_MEANING};

    /// Where one has a row, that is what counts.
    #[test]
    fn each_key_without_a_reader_is_in_one_table() {
        let mut keys: Vec<&str> = BY_FLAG.iter().map(|(key, _)| *key).collect();
        keys.extend(NO_MEANING.iter().chain(GUARDS));
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
