//! What is known of nginx' directives by their names: which may guard access, which annotation says the same, and what to write
//! in place of one.

use super::syntax::Directive;

/// A directive that cannot be honoured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread<'a> {
    pub(super) directive: &'a str,
    pub(super) why: &'static str,
    pub(super) instead: &'static str,
}

/// Directives that decide neither on access nor on whether endpoints are the right ones, whatever their arguments. Those that end
/// in `*` are the beginnings of several. All others may.
const HARMLESS: &[&str] = &[
    "absolute_redirect",
    "access_log",
    "add_header",
    "add_trailer",
    "brotli*",
    "charset*",
    "chunked_transfer_encoding",
    "client_*",
    "default_type",
    "error_log",
    "error_page",
    "etag",
    "expires",
    "grpc_*_timeout",
    "grpc_buffer_size",
    "grpc_set_header",
    "gzip*",
    "http2_*",
    "ignore_invalid_headers",
    "keepalive_*",
    "large_client_header_buffers",
    "limit_conn*",
    "limit_rate*",
    "limit_req*",
    "log_not_found",
    "log_subrequest",
    "mirror*",
    "more_*",
    "open_file_cache*",
    "opentelemetry*",
    "opentracing*",
    "port_in_redirect",
    "proxy_buffer*",
    "proxy_busy_buffers_size",
    "proxy_cache*",
    "proxy_connect_timeout",
    "proxy_cookie_*",
    "proxy_force_ranges",
    "proxy_headers_hash_*",
    "proxy_hide_header",
    "proxy_http_version",
    "proxy_ignore_*",
    "proxy_intercept_errors",
    "proxy_max_temp_file_size",
    "proxy_next_upstream*",
    "proxy_no_cache",
    "proxy_pass_header",
    "proxy_read_timeout",
    "proxy_redirect",
    "proxy_request_buffering",
    "proxy_send_timeout",
    "proxy_set_header",
    "proxy_socket_keepalive",
    "proxy_temp_*",
    "recursive_error_pages",
    "reset_timedout_connection",
    "send_timeout",
    "sendfile*",
    "server_name_in_redirect",
    "server_tokens",
    "source_charset",
    "sub_filter*",
    "tcp_no*",
    "types*",
    "underscores_in_headers",
];

/// What there is in place of a directive, the first that matches.
const INSTEAD: &[(&str, &str)] = &[
    ("access_log", "write enable-access-log: \"false\""),
    ("allow", "write allowlist-source-range"),
    ("auth_basic*", "write auth-type: basic and auth-secret"),
    ("auth_request*", "write auth-url and auth-response-headers"),
    ("client_max_body_size", "write proxy-body-size"),
    ("deny", "write denylist-source-range"),
    ("error_page", "write custom-http-errors and default-backend"),
    ("gzip*", "compression is a matter of the ConfigMap, for all"),
    ("if", "write a rule or an annotation for what it decides, or let the application decide"),
    ("limit_conn*", "write limit-connections"),
    ("limit_rate*", "write limit-rate and limit-rate-after"),
    ("limit_req*", "write limit-rps or limit-rpm"),
    ("location", "write a rule for the path, in an Ingress of its own if other annotations hold for it"),
    ("mirror*", "write mirror-target"),
    ("more_*input*", "write sluicegate.io/request-headers"),
    ("more_*", "write sluicegate.io/response-headers"),
    ("add_header", "write sluicegate.io/response-headers"),
    ("proxy_connect_timeout", "write proxy-connect-timeout"),
    ("proxy_cookie_*", "write proxy-cookie-domain or proxy-cookie-path"),
    ("proxy_hide_header", "write sluicegate.io/response-headers"),
    ("proxy_next_upstream*", "write proxy-next-upstream, -tries or -timeout"),
    ("proxy_pass", "write a rule with the Service"),
    ("proxy_read_timeout", "write proxy-read-timeout"),
    ("proxy_redirect", "write proxy-redirect-from and proxy-redirect-to"),
    ("proxy_send_timeout", "write proxy-send-timeout"),
    ("proxy_set_header", "write sluicegate.io/request-headers"),
    ("proxy_ssl_*", "write proxy-ssl-secret, -verify, -name or -server-name"),
    ("return", "write permanent-redirect or temporal-redirect"),
    ("rewrite", "write rewrite-target, app-root or permanent-redirect"),
    ("satisfy", "write satisfy"),
    ("ssl_*client*", "write auth-tls-secret and auth-tls-verify-client"),
];

/// What to write in place of a directive of this name.
pub(super) fn instead_of(name: &str) -> &'static str {
    let known = INSTEAD.iter().find(|(pattern, _)| is(name, pattern));
    known.map_or("remove it, or keep this Ingress with ingress-nginx", |(_, instead)| *instead)
}

/// Whether a directive may decide on access, by itself or by what it encloses. One that nothing is known of may; and what
/// depends on a condition may keep a client from more than it says.
pub(super) fn may_guard(directive: &Directive) -> bool {
    !HARMLESS.iter().any(|pattern| is(&directive.name, pattern))
        || directive.block.iter().flatten().any(may_guard)
}

/// Whether a directive above all hosts says what others may use, and does nothing by itself.
pub(super) fn only_defines(name: &str) -> bool {
    const DEFINITIONS: &[&str] = &[
        "geo",
        "limit_conn_zone",
        "limit_req_zone",
        "log_format",
        "lua_*",
        "map",
        "map_*",
        "proxy_cache_path",
        "resolver*",
        "split_clients",
        "upstream",
        "variables_*",
    ];
    DEFINITIONS.iter().any(|pattern| is(name, pattern))
}

/// Whether the name is this one, where a `*` stands for anything.
fn is(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else { return false };
    let mut is_open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        is_open = part.is_empty();
    }
    is_open || rest.is_empty()
}

/// The annotation that says the same as a directive with the same arguments.
pub(super) fn annotation_of(directive: &str) -> Option<&'static str> {
    const SAME: [(&str, &str); 17] = [
        ("client_max_body_size", "proxy-body-size"),
        ("enable_access_log", "enable-access-log"),
        ("permanent_redirect", "permanent-redirect"),
        ("permanent_redirect_code", "permanent-redirect-code"),
        ("proxy_buffer_size", "proxy-buffer-size"),
        ("proxy_connect_timeout", "proxy-connect-timeout"),
        ("proxy_cookie_domain", "proxy-cookie-domain"),
        ("proxy_cookie_path", "proxy-cookie-path"),
        ("proxy_next_upstream", "proxy-next-upstream"),
        ("proxy_next_upstream_timeout", "proxy-next-upstream-timeout"),
        ("proxy_next_upstream_tries", "proxy-next-upstream-tries"),
        ("proxy_read_timeout", "proxy-read-timeout"),
        ("proxy_send_timeout", "proxy-send-timeout"),
        ("proxy_ssl_name", "proxy-ssl-name"),
        ("proxy_ssl_server_name", "proxy-ssl-server-name"),
        ("proxy_ssl_verify", "proxy-ssl-verify"),
        ("satisfy", "satisfy"),
    ];
    SAME.iter().find(|(known, _)| *known == directive).map(|(_, word)| *word)
}

/// Directives about how nginx handles bodies and connections of its own.
pub(super) fn has_nothing_to_do(name: &str) -> bool {
    matches!(
        name,
        "chunked_transfer_encoding"
            | "client_body_buffer_size"
            | "client_body_temp_path"
            | "log_not_found"
            | "proxy_buffering"
            | "proxy_buffers"
            | "proxy_busy_buffers_size"
            | "proxy_http_version"
            | "proxy_max_temp_file_size"
            | "proxy_request_buffering"
            | "sendfile"
            | "server_tokens"
            | "tcp_nodelay"
            | "tcp_nopush"
    )
}

/// Directives that ingress-nginx writes for each path, where they count more than those of the host.
pub(super) fn is_written_for_each_path(name: &str) -> bool {
    matches!(
        name,
        "client_max_body_size"
            | "proxy_buffer_size"
            | "proxy_buffering"
            | "proxy_buffers"
            | "proxy_connect_timeout"
            | "proxy_cookie_domain"
            | "proxy_cookie_path"
            | "proxy_http_version"
            | "proxy_next_upstream"
            | "proxy_next_upstream_timeout"
            | "proxy_next_upstream_tries"
            | "proxy_read_timeout"
            | "proxy_redirect"
            | "proxy_request_buffering"
            | "proxy_send_timeout"
    )
}
