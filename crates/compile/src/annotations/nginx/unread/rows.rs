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

const TRACES: &str =
    "is not honoured: traceparent and the like are passed on, and no span of our own is made";
const CHOSEN: &str =
    "is not honoured: rustls offers its own suites of TLS 1.2 and 1.3, all with forward secrecy";
const MODSECURITY: &str = "asks for a firewall of requests (WAF)";

/// The rest of the names, in the order of the alphabet.
pub(super) const UNREAD: &[Unread] = &[
    told(
        "connection-proxy-header",
        "is not honoured: the connection to an endpoint is ours, and is kept open",
        REMOVE,
    )
    .unless(&["keep-alive", ""]),
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
    needless("http2-push-preload", "has nothing to do: neither nginx nor browsers push any more"),
    told("mirror-host", "is not honoured: requests are not copied", REMOVE),
    told("mirror-request-body", "is not honoured: requests are not copied", REMOVE).unless(OFF),
    told("mirror-target", "is not honoured: requests are not copied", REMOVE),
    denies("modsecurity-snippet", MODSECURITY),
    told("modsecurity-transaction-id", "is not honoured: there is no firewall of requests", REMOVE),
    told("opentelemetry-operation-name", TRACES, REMOVE),
    told("opentelemetry-trust-incoming-span", TRACES, REMOVE),
    told("proxy-ssl-ciphers", CHOSEN, REMOVE),
    told("proxy-ssl-protocols", CHOSEN, REMOVE).unless(&["TLSv1.2 TLSv1.3"]),
    told("proxy-ssl-verify-depth", "is not honoured: a chain may be as long as TLS libraries allow", REMOVE),
    told("ssl-ciphers", CHOSEN, REMOVE),
    needless("ssl-prefer-server-ciphers", "has nothing to do: the server's order counts in any case"),
    told("stream-snippet", "is not honoured: it is no setting of HTTP", REMOVE),
    told("upstream-hash-by-subset", NOT_READ, REMOVE).unless(FALSE),
    told("upstream-hash-by-subset-size", NOT_READ, REMOVE),
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
