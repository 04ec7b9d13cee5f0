//! What is done about ingress-nginx' annotations that nothing here reads. To make one honoured, give it a reader in the
//! dialect's table and remove its row here.

use super::Standing;

/// A name that is known and has no reader.
#[derive(Clone, Copy)]
pub(super) struct Unread {
    /// Without the prefix; the beginning of several names if it ends in `*`.
    pub(super) word: &'static str,
    pub(super) standing: Standing,
    /// What is so with it, to stand behind its name.
    pub(super) why: &'static str,
    /// What to write in its place.
    pub(super) instead: &'static str,
    /// The values by which it asks for nothing that is not so in any case.
    pub(super) idle: &'static [&'static str],
}

impl Unread {
    pub(super) fn is(&self, word: &str) -> bool {
        match self.word.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == self.word,
        }
    }

    /// With these values it asks for nothing.
    const fn unless(self, idle: &'static [&'static str]) -> Unread {
        Unread { idle, ..self }
    }
}

/// Go's `strconv.ParseBool`.
const FALSE: &[&str] = &["false", "0", "f", "F", "FALSE", "False"];
const OFF: &[&str] = &["off", ""];
/// Where there is nothing better to say.
const REMOVE: &str = "remove it, or keep this Ingress with a controller that honours it";
const GUARD: &str = "remove it if every client may have access; otherwise keep this Ingress with a controller that honours it";
const NOT_READ: &str = "is not honoured and has no effect";

const fn row(word: &'static str, standing: Standing, why: &'static str, instead: &'static str) -> Unread {
    Unread { word, standing, why, instead, idle: &[] }
}

const fn needless(word: &'static str, why: &'static str) -> Unread {
    row(word, Standing::Needless, why, "it may stay")
}

const fn told(word: &'static str, why: &'static str, instead: &'static str) -> Unread {
    row(word, Standing::Told, why, instead)
}

const fn denies(word: &'static str, why: &'static str) -> Unread {
    row(word, Standing::Denies, why, GUARD)
}

/// It exists no more in ingress-nginx either.
const fn former(word: &'static str, instead: &'static str) -> Unread {
    row(
        word,
        Standing::Former,
        "exists no more in ingress-nginx v1.15, which ignores it, and so is here",
        instead,
    )
}

const PIECES: &str = "has nothing to do: bodies are passed on in pieces as they come, and no file is written";
const TRACES: &str =
    "is not honoured: traceparent and the like are passed on, and no span of our own is made";
const CHOSEN: &str =
    "is not honoured: rustls offers its own suites of TLS 1.2 and 1.3, all with forward secrecy";
const MODSECURITY: &str = "asks for a firewall of requests (WAF)";
const GUARDS: &str = "restricts access";

/// The rest of the names, in the order of the alphabet.
pub(super) const UNREAD: &[Unread] = &[
    told("affinity", NOT_READ, REMOVE),
    told("affinity-canary-behavior", NOT_READ, REMOVE),
    told("affinity-mode", NOT_READ, REMOVE),
    told("app-root", NOT_READ, "send clients there by a rule or the application"),
    told("auth-always-set-cookie", NOT_READ, REMOVE),
    needless(
        "auth-cache-duration",
        "has nothing to do: answers of auth-url are not kept, each request is asked about",
    ),
    needless(
        "auth-cache-key",
        "has nothing to do: answers of auth-url are not kept, each request is asked about",
    ),
    needless("auth-keepalive", "has nothing to do: connections to auth-url are kept in any case"),
    needless("auth-keepalive-requests", "has nothing to do: connections to auth-url are kept in any case"),
    needless("auth-keepalive-share-vars", "has nothing to do: connections to auth-url are kept in any case"),
    needless("auth-keepalive-timeout", "has nothing to do: connections to auth-url are kept in any case"),
    told("auth-method", NOT_READ, REMOVE),
    denies("auth-proxy-set-headers", "changes what the authenticating service is told"),
    told("auth-realm", NOT_READ, REMOVE),
    told("auth-request-redirect", NOT_READ, REMOVE),
    told("auth-response-headers", NOT_READ, REMOVE),
    denies("auth-secret", GUARDS),
    denies("auth-secret-type", GUARDS),
    told("auth-signin", NOT_READ, REMOVE),
    told("auth-signin-redirect-param", NOT_READ, REMOVE),
    denies("auth-snippet", "changes how the authenticating service is asked"),
    told("auth-tls-error-page", NOT_READ, REMOVE),
    denies("auth-tls-match-cn", GUARDS),
    told("auth-tls-pass-certificate-to-upstream", NOT_READ, REMOVE).unless(FALSE),
    denies("auth-tls-secret", GUARDS),
    denies("auth-tls-verify-client", GUARDS).unless(OFF),
    denies("auth-tls-verify-depth", GUARDS),
    denies("auth-type", GUARDS),
    denies("auth-url", GUARDS),
    told("canary-by-cookie", NOT_READ, REMOVE),
    told("canary-by-header", NOT_READ, REMOVE),
    told("canary-by-header-pattern", NOT_READ, REMOVE),
    told("canary-by-header-value", NOT_READ, REMOVE),
    told("canary-weight", NOT_READ, REMOVE),
    told("canary-weight-total", NOT_READ, REMOVE),
    needless("client-body-buffer-size", PIECES),
    told(
        "connection-proxy-header",
        "is not honoured: the connection to an endpoint is ours, and is kept open",
        REMOVE,
    )
    .unless(&["keep-alive", ""]),
    told("cors-allow-credentials", NOT_READ, REMOVE),
    told("cors-allow-headers", NOT_READ, REMOVE),
    told("cors-allow-methods", NOT_READ, REMOVE),
    told("cors-allow-origin", NOT_READ, REMOVE),
    told("cors-expose-headers", NOT_READ, REMOVE),
    told("cors-max-age", NOT_READ, REMOVE),
    told("custom-headers", NOT_READ, "write sluicegate.io/response-headers"),
    told("custom-http-errors", NOT_READ, REMOVE),
    told("default-backend", NOT_READ, REMOVE),
    told("disable-proxy-intercept-errors", NOT_READ, REMOVE).unless(FALSE),
    told("enable-access-log", "is not honoured: the access log has all requests or none", "see --access-log"),
    told("enable-cors", NOT_READ, REMOVE).unless(FALSE),
    told("enable-global-auth", "is not honoured: there is no authentication for all", REMOVE),
    denies("enable-modsecurity", MODSECURITY).unless(FALSE),
    told("enable-opentelemetry", TRACES, REMOVE).unless(FALSE),
    denies("enable-owasp-core-rules", MODSECURITY).unless(FALSE),
    needless("enable-rewrite-log", "has nothing to do: it is about nginx' own log"),
    told(
        "fastcgi-index",
        "is not honoured: FastCGI is not spoken",
        "put a server of HTTP before the program",
    ),
    told(
        "fastcgi-params-configmap",
        "is not honoured: FastCGI is not spoken",
        "put a server of HTTP before the program",
    ),
    told("from-to-www-redirect", NOT_READ, REMOVE).unless(FALSE),
    needless("http2-push-preload", "has nothing to do: neither nginx nor browsers push any more"),
    told("limit-allowlist", NOT_READ, REMOVE),
    told("limit-burst-multiplier", NOT_READ, REMOVE),
    told("limit-connections", NOT_READ, REMOVE),
    told("limit-rate", NOT_READ, REMOVE).unless(&["0"]),
    told("limit-rate-after", NOT_READ, REMOVE).unless(&["0"]),
    told("limit-rpm", NOT_READ, REMOVE),
    told("limit-rps", NOT_READ, REMOVE),
    told("limit-whitelist", NOT_READ, REMOVE),
    told("load-balance", NOT_READ, "write sluicegate.io/load-balance").unless(&["round_robin"]),
    told("mirror-host", "is not honoured: requests are not copied", REMOVE),
    told("mirror-request-body", "is not honoured: requests are not copied", REMOVE).unless(OFF),
    told("mirror-target", "is not honoured: requests are not copied", REMOVE),
    denies("modsecurity-snippet", MODSECURITY),
    told("modsecurity-transaction-id", "is not honoured: there is no firewall of requests", REMOVE),
    told("opentelemetry-operation-name", TRACES, REMOVE),
    told("opentelemetry-trust-incoming-span", TRACES, REMOVE),
    told("permanent-redirect", NOT_READ, REMOVE),
    told("permanent-redirect-code", NOT_READ, REMOVE),
    told("proxy-body-size", NOT_READ, REMOVE),
    told("proxy-buffer-size", NOT_READ, REMOVE),
    needless("proxy-buffering", PIECES),
    needless("proxy-buffers-number", PIECES),
    needless("proxy-busy-buffers-size", PIECES),
    told("proxy-cookie-domain", NOT_READ, REMOVE).unless(OFF),
    told("proxy-cookie-path", NOT_READ, REMOVE).unless(OFF),
    told("proxy-http-version", "is not honoured: endpoints are spoken to by HTTP/1.1", REMOVE)
        .unless(&["1.1"]),
    needless("proxy-max-temp-file-size", PIECES),
    told("proxy-next-upstream", NOT_READ, "write sluicegate.io/attempts"),
    told("proxy-next-upstream-timeout", NOT_READ, REMOVE).unless(&["0"]),
    told("proxy-redirect-from", NOT_READ, REMOVE).unless(OFF),
    told("proxy-redirect-to", NOT_READ, REMOVE).unless(OFF),
    needless("proxy-request-buffering", PIECES),
    told("proxy-send-timeout", NOT_READ, REMOVE),
    told("proxy-ssl-ciphers", CHOSEN, REMOVE),
    told("proxy-ssl-protocols", CHOSEN, REMOVE).unless(&["TLSv1.2 TLSv1.3"]),
    told("proxy-ssl-verify-depth", "is not honoured: a chain may be as long as TLS libraries allow", REMOVE),
    told("relative-redirects", NOT_READ, REMOVE).unless(FALSE),
    told("rewrite-target", NOT_READ, REMOVE),
    denies("satisfy", GUARDS),
    told("server-alias", NOT_READ, "write a rule for each name"),
    told("service-upstream", NOT_READ, REMOVE).unless(FALSE),
    told("session-cookie-change-on-failure", NOT_READ, REMOVE).unless(FALSE),
    told("session-cookie-conditional-samesite-none", NOT_READ, REMOVE).unless(FALSE),
    told("session-cookie-domain", NOT_READ, REMOVE),
    told("session-cookie-expires", NOT_READ, REMOVE),
    told("session-cookie-max-age", NOT_READ, REMOVE),
    told("session-cookie-name", NOT_READ, REMOVE),
    told("session-cookie-path", NOT_READ, REMOVE),
    told("session-cookie-samesite", NOT_READ, REMOVE),
    told("session-cookie-secure", NOT_READ, REMOVE),
    told("ssl-ciphers", CHOSEN, REMOVE),
    told("ssl-passthrough", NOT_READ, REMOVE).unless(FALSE),
    needless("ssl-prefer-server-ciphers", "has nothing to do: the server's order counts in any case"),
    told("stream-snippet", "is not honoured: it is no setting of HTTP", REMOVE),
    told("temporal-redirect", NOT_READ, REMOVE),
    told("temporal-redirect-code", NOT_READ, REMOVE),
    told("upstream-hash-by", NOT_READ, REMOVE),
    told("upstream-hash-by-subset", NOT_READ, REMOVE).unless(FALSE),
    told("upstream-hash-by-subset-size", NOT_READ, REMOVE),
    told("upstream-vhost", NOT_READ, REMOVE),
    told("use-port-in-redirects", NOT_READ, REMOVE).unless(FALSE),
    told("use-regex", NOT_READ, REMOVE).unless(FALSE),
    told("x-forwarded-prefix", NOT_READ, REMOVE),
];

/// Names that ingress-nginx once had, and that are still written.
pub(super) const FORMER: &[Unread] = &[
    former("add-base-url", "let the application know its own address"),
    former("base-url-scheme", "let the application know its own address"),
    former("enable-influxdb", "read /metrics"),
    former("enable-opentracing", "remove it"),
    former("global-rate-limit*", "write limit-rps or limit-rpm, which count in each process"),
    former("grpc-backend", "write backend-protocol: GRPC"),
    former("influxdb-*", "read /metrics"),
    former("lua-resty-waf*", "put a firewall of requests before or behind"),
    former("mirror-uri", "write mirror-target"),
    former("opentracing-*", "remove it"),
    former("secure-backends", "write backend-protocol: HTTPS"),
    former("secure-verify-ca-secret", "write proxy-ssl-secret and proxy-ssl-verify: \"on\""),
    former("session-cookie-hash", "remove it"),
    former("upstream-fail-timeout", "remove it"),
    former("upstream-max-fails", "remove it"),
    former("vts-filter-key", "read /metrics"),
];
