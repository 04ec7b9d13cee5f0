//! Our own dialect.

use super::{
    Annotation, Dialect, Reader, access, auth, backend, client_tls, compress, endpoint, frontend, headers,
    limit, redirect, retry, rewrite, size, time,
};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: unknown };

const PREFIX: &str = "sluicegate.io/";

const ROWS: &[(&str, Reader)] = &[
    ("allow-addresses", access::allow),
    ("app-root", rewrite::app_root),
    ("attempts", retry::attempts),
    ("auth-always-set-cookie", auth::always_set_cookie),
    ("auth-method", auth::method),
    ("auth-realm", auth::realm),
    ("auth-request-redirect", auth::request_redirect),
    ("auth-response-headers", auth::response_headers),
    ("auth-satisfy", auth::satisfy),
    ("auth-secret", auth::secret),
    ("auth-secret-type", auth::secret_type),
    ("auth-signin", auth::sign_in),
    ("auth-signin-redirect-param", auth::sign_in_parameter),
    ("auth-type", auth::kind),
    ("auth-url", auth::url),
    ("backend-host", endpoint::upstream_host),
    ("backend-protocol", backend::protocol),
    ("backend-proxy-protocol", backend::proxy_header),
    ("backend-tls-name", backend::tls_name_to_send),
    ("backend-tls-secret", backend::tls_secret),
    ("backend-tls-verify", backend::tls_verify),
    ("body-timeout", time::body),
    ("client-tls-depth", client_tls::depth),
    ("client-tls-error-page", client_tls::error_page),
    ("client-tls-pass-certificate", client_tls::pass),
    ("client-tls-secret", client_tls::secret),
    ("client-tls-subject", client_tls::subject),
    ("client-tls-verify", client_tls::verify),
    ("client-tls-passthrough", client_tls::passthrough),
    ("compress", compress::compress),
    ("connect-timeout", time::connect),
    ("deny-addresses", access::deny),
    ("frontend-scheme", frontend::scheme),
    ("hash-by", endpoint::hash_by),
    ("https-redirect", redirect::force_https),
    ("load-balance", endpoint::balance),
    ("redirect", redirect::temporal),
    ("request-body-max", size::request_body),
    ("request-headers", headers::request),
    ("requests-burst-factor", limit::burst_factor),
    ("requests-in-flight", limit::in_flight),
    ("requests-per-minute", limit::per_minute),
    ("requests-per-second", limit::per_second),
    ("requests-unlimited-for", limit::exempt),
    ("response-headers", headers::response),
    ("response-timeout", time::response),
    ("retry-on", retry::on),
    ("retry-within", retry::within),
    ("send-timeout", time::send),
    ("tunnel-timeout", time::tunnel),
];

fn unknown(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let known: Vec<String> = ROWS.iter().map(|(word, _)| format!("{PREFIX}{word}")).collect();
    let message = format!("{} is not known and has no effect", annotation.name);
    let remedy = format!("use one of {}, or remove it", known.join(", "));
    // A slip of the pen must not open what was to be guarded.
    let word = annotation.name.strip_prefix(PREFIX).unwrap_or(annotation.name).to_ascii_lowercase();
    if ["allow", "auth", "client", "deny"].iter().any(|guard| word.starts_with(guard)) {
        let message = format!(
            "{} is not known and may be meant as a guard, so the whole Ingress is answered 503",
            annotation.name
        );
        return Err(Fault::denied(message, remedy).into());
    }
    Err(Fault::warning(reasons::UNKNOWN_ANNOTATION, message, remedy).into())
}
