//! The keys of ingress-nginx' ConfigMap that are the default of an annotation: what an Ingress says itself goes before them.
//!
//! To add one: a row here, with the reader of its annotation. A key that has no value counts as absent, as a Helm chart
//! writes those that are not set.

use super::{
    Annotation, Dialect, Reader, access, auth, custom_headers, edge, hsts, redirect, retry, time,
    upstream_fields,
};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: "", rows: ROWS, other: not_honoured };

const ROWS: &[(&str, Reader)] = &[
    // These two are read before all others, and hold without being written (`allowed`).
    ("allow-snippet-annotations", nothing_to_add),
    ("annotations-risk-level", nothing_to_add),
    ("add-headers", custom_headers::in_answers),
    ("allow-backend-server-header", edge::shows_server),
    ("allow-cross-namespace-resources", custom_headers::cross_namespaces),
    ("compute-full-forwarded-for", edge::tells_chain),
    ("denylist-source-range", access::deny),
    ("enable-underscores-in-headers", edge::underscores),
    ("force-ssl-redirect", redirect::force_https),
    ("global-auth-always-set-cookie", auth::global_always_set_cookie),
    ("global-auth-cache-duration", auth::cached),
    ("global-auth-cache-key", auth::cached),
    ("global-auth-method", auth::global_method),
    ("global-auth-request-redirect", auth::global_request_redirect),
    ("global-auth-response-headers", auth::global_response_headers),
    ("global-auth-signin", auth::global_sign_in),
    ("global-auth-signin-redirect-param", auth::global_sign_in_parameter),
    ("global-auth-snippet", auth::global_snippet),
    ("global-auth-url", auth::global_url),
    ("forwarded-for-header", edge::for_field),
    ("forwarded-host-header", edge::host_field),
    ("generate-request-id", edge::makes_request_id),
    ("global-allowed-response-headers", custom_headers::allowed),
    ("hide-headers", edge::hide),
    ("hsts", hsts::enable),
    ("hsts-include-subdomains", hsts::subdomains),
    ("hsts-max-age", hsts::max_age),
    ("hsts-preload", hsts::preload),
    ("http-redirect-code", redirect::status),
    ("no-auth-locations", auth::open_locations),
    ("ignore-invalid-headers", edge::ignores_names),
    ("no-tls-redirect-locations", redirect::keep_http),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-add-original-uri-header", edge::tells_target),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-cookie-domain", upstream_fields::cookie_domain),
    ("proxy-cookie-path", upstream_fields::cookie_path),
    ("proxy-next-upstream-tries", retry::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-real-ip-cidr", edge::real_ip_from),
    ("proxy-redirect-from", upstream_fields::place_from),
    ("proxy-redirect-to", upstream_fields::place_to),
    ("relative-redirects", redirect::relative_by_default),
    ("proxy-set-headers", custom_headers::in_requests),
    ("ssl-redirect", redirect::https),
    ("use-forwarded-headers", edge::use_forwarded_headers),
    // Behind the one above, which says it too.
    ("enable-real-ip", edge::enable_real_ip),
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
        reason => reason,
    };
    let message = fault.message.replace("the whole Ingress is", "every Ingress that it holds for is");
    Fault { reason, message, ..fault }
}

fn not_honoured(Annotation { name, .. }: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let message = format!("{} is not honoured and has no effect", super::shown(name));
    let remedy = "remove it, or keep to the controller that honours it";
    Err(Fault::warning(reasons::UNSUPPORTED_SETTING, message, remedy).into())
}
