//! ingress-nginx' dialect, as far as it is honoured. What is not and decides on access denies.

use super::{
    Annotation, Dialect, Reader, access, backend, canary, client_tls, cors, redirect, rewrite, time,
    upstream_fields,
};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: not_honoured };

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

const ROWS: &[(&str, Reader)] = &[
    ("affinity-canary-behavior", canary::affinity),
    ("app-root", rewrite::app_root),
    ("auth-tls-error-page", client_tls::error_page),
    ("auth-tls-match-cn", client_tls::subject),
    ("auth-tls-pass-certificate-to-upstream", client_tls::pass),
    ("auth-tls-secret", client_tls::qualified_secret),
    ("auth-tls-verify-client", client_tls::verify),
    ("auth-tls-verify-depth", client_tls::depth),
    ("backend-protocol", backend::protocol),
    ("canary", canary::is_one),
    ("canary-by-cookie", canary::cookie),
    ("canary-by-header", canary::header),
    ("canary-by-header-pattern", canary::header_pattern),
    ("canary-by-header-value", canary::header_value),
    ("canary-weight", canary::weight),
    ("canary-weight-total", canary::total),
    ("cors-allow-credentials", cors::credentials),
    ("cors-allow-headers", cors::headers),
    ("cors-allow-methods", cors::methods),
    ("cors-allow-origin", cors::origins),
    ("cors-expose-headers", cors::expose),
    ("cors-max-age", cors::max_age),
    ("denylist-source-range", access::deny),
    ("enable-cors", cors::enable),
    ("force-ssl-redirect", redirect::force_https),
    ("from-to-www-redirect", redirect::www),
    ("permanent-redirect", redirect::permanent),
    ("permanent-redirect-code", redirect::permanent_status),
    ("preserve-trailing-slash", redirect::preserve_trailing_slash),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-cookie-domain", upstream_fields::cookie_domain),
    ("proxy-cookie-path", upstream_fields::cookie_path),
    ("proxy-next-upstream-tries", time::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-redirect-from", upstream_fields::place_from),
    ("proxy-redirect-to", upstream_fields::place_to),
    ("proxy-ssl-name", backend::tls_name),
    ("proxy-ssl-secret", backend::tls_secret),
    ("proxy-ssl-server-name", backend::send_tls_name),
    ("proxy-ssl-verify", backend::tls_verify),
    ("relative-redirects", redirect::relative),
    ("rewrite-target", rewrite::target),
    ("server-alias", rewrite::aliases),
    ("ssl-redirect", redirect::https),
    ("temporal-redirect", redirect::temporal),
    ("temporal-redirect-code", redirect::temporal_status),
    ("use-port-in-redirects", redirect::name_port),
    ("use-regex", rewrite::use_regex),
    // The older name of the one below, which counts where both are there.
    ("whitelist-source-range", access::allow),
    ("allowlist-source-range", access::allow),
    ("x-forwarded-prefix", rewrite::prefix),
];

fn not_honoured(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    let word = name.strip_prefix(PREFIX).unwrap_or(name);
    let fault = if restricts_access(word, value) {
        Fault::denied(
            format!("{name} restricts access and is not honoured, so the whole Ingress is answered 503"),
            "remove it if every client may have access; otherwise keep this Ingress with a controller that honours it",
        )
    } else {
        Fault::warning(
            reasons::UNSUPPORTED_ANNOTATION,
            format!("{name} is not honoured and has no effect"),
            "remove it, or keep this Ingress with a controller that honours it",
        )
    };
    Err(fault.into())
}

/// Whether an annotation of ingress-nginx decides on access. Rate limits do not: they protect the upstream from
/// load, not its data from readers. Neither does what is switched off.
fn restricts_access(name: &str, value: &str) -> bool {
    match name {
        "satisfy" => true,
        "enable-modsecurity" | "enable-owasp-core-rules" => value != "false",
        "modsecurity-snippet" => true,
        "server-snippet" | "configuration-snippet" | "stream-snippet" => snippet_restricts_access(value),
        _ => name.starts_with("auth-"),
    }
}

/// Whether a snippet of nginx' configuration may decide on access: by the directives and answers that do.
fn snippet_restricts_access(snippet: &str) -> bool {
    let words = [
        "allow ",
        "deny ",
        "satisfy ",
        "auth_",
        "limit_except ",
        "internal;",
        "ssl_verify_",
        "_by_lua",
        "modsecurity",
    ];
    let snippet = snippet.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    words.iter().any(|word| snippet.contains(word)) || snippet.contains("return 4")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_annotations_that_decide_on_access_deny() {
        for (name, value, denies) in [
            ("auth-url", "http://auth", true),
            ("auth-type", "basic", true),
            ("auth-tls-secret", "shop/ca", true),
            ("satisfy", "any", true),
            ("enable-modsecurity", "true", true),
            ("enable-modsecurity", "false", false),
            ("enable-global-auth", "false", false),
            ("limit-rps", "5", false),
            ("rewrite-target", "/", false),
            ("configuration-snippet", "if ($http_x = '') {\n  return   403;\n}", true),
            ("server-snippet", "location /a { deny\tall; }", true),
            ("configuration-snippet", "more_set_headers 'X-A: b';", false),
        ] {
            assert_eq!(restricts_access(name, value), denies, "{name}: {value}");
        }
    }
}
