//! The names of ingress-nginx' annotations, as its v1.15 has them: all 138, each with the risk that it is of to its operators.
//! What is read of them
//! stands in the dialect's table, what is done about the others in [`unread`](super::unread).

/// How dangerous an annotation is to ingress-nginx' operators. It does not serve an Ingress with one of more risk than its
/// ConfigMap allows (`annotations-risk-level`), so what worked there has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RiskLevel {
    /// Its values are few, or numbers.
    Low,
    /// Its values are texts of a known form.
    Medium,
    /// Its values are texts which reach nginx' configuration.
    #[default]
    High,
    /// Its value is a piece of that configuration.
    Critical,
}

use RiskLevel::{Critical, High, Low, Medium};

impl RiskLevel {
    /// Reads it as ingress-nginx does: without regard to case, and what is no level is the lowest.
    pub(crate) fn parse(raw: &str) -> RiskLevel {
        let levels = [("critical", Critical), ("high", High), ("medium", Medium)];
        let known = levels.into_iter().find(|(word, _)| raw.eq_ignore_ascii_case(word));
        known.map_or(Low, |(_, level)| level)
    }

    /// The word that ingress-nginx has for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Low => "Low",
            Medium => "Medium",
            High => "High",
            Critical => "Critical",
        }
    }
}

/// All of them, in the order of the alphabet.
pub(super) const NAMES: [(&str, RiskLevel); 138] = [
    ("affinity", Low),
    ("affinity-canary-behavior", Low),
    ("affinity-mode", Medium),
    ("allowlist-source-range", Medium),
    ("app-root", Medium),
    ("auth-always-set-cookie", Low),
    ("auth-cache-duration", Medium),
    ("auth-cache-key", Medium),
    ("auth-keepalive", Low),
    ("auth-keepalive-requests", Low),
    ("auth-keepalive-share-vars", Low),
    ("auth-keepalive-timeout", Low),
    ("auth-method", Low),
    ("auth-proxy-set-headers", Medium),
    ("auth-realm", Medium),
    ("auth-request-redirect", Medium),
    ("auth-response-headers", Medium),
    ("auth-secret", Medium),
    ("auth-secret-type", Low),
    ("auth-signin", High),
    ("auth-signin-redirect-param", Medium),
    ("auth-snippet", Critical),
    ("auth-tls-error-page", High),
    ("auth-tls-match-cn", High),
    ("auth-tls-pass-certificate-to-upstream", Low),
    ("auth-tls-secret", Medium),
    ("auth-tls-verify-client", Medium),
    ("auth-tls-verify-depth", Low),
    ("auth-type", Low),
    ("auth-url", High),
    ("backend-protocol", Low),
    ("canary", Low),
    ("canary-by-cookie", Medium),
    ("canary-by-header", Medium),
    ("canary-by-header-pattern", Medium),
    ("canary-by-header-value", Medium),
    ("canary-weight", Low),
    ("canary-weight-total", Low),
    ("client-body-buffer-size", Low),
    ("configuration-snippet", Critical),
    ("connection-proxy-header", Low),
    ("cors-allow-credentials", Low),
    ("cors-allow-headers", Medium),
    ("cors-allow-methods", Medium),
    ("cors-allow-origin", Medium),
    ("cors-expose-headers", Medium),
    ("cors-max-age", Low),
    ("custom-headers", Medium),
    ("custom-http-errors", Low),
    ("default-backend", Low),
    ("denylist-source-range", Medium),
    ("disable-proxy-intercept-errors", Low),
    ("enable-access-log", Low),
    ("enable-cors", Low),
    ("enable-global-auth", Low),
    ("enable-modsecurity", Low),
    ("enable-opentelemetry", Low),
    ("enable-owasp-core-rules", Low),
    ("enable-rewrite-log", Low),
    ("fastcgi-index", Medium),
    ("fastcgi-params-configmap", Medium),
    ("force-ssl-redirect", Medium),
    ("from-to-www-redirect", Low),
    ("http2-push-preload", Low),
    ("limit-allowlist", Low),
    ("limit-burst-multiplier", Low),
    ("limit-connections", Low),
    ("limit-rate", Low),
    ("limit-rate-after", Low),
    ("limit-rpm", Low),
    ("limit-rps", Low),
    ("limit-whitelist", Low),
    ("load-balance", Low),
    ("mirror-host", High),
    ("mirror-request-body", Low),
    ("mirror-target", High),
    ("modsecurity-snippet", Critical),
    ("modsecurity-transaction-id", High),
    ("opentelemetry-operation-name", Medium),
    ("opentelemetry-trust-incoming-span", Low),
    ("permanent-redirect", Medium),
    ("permanent-redirect-code", Low),
    ("preserve-trailing-slash", Medium),
    ("proxy-body-size", Medium),
    ("proxy-buffer-size", Low),
    ("proxy-buffering", Low),
    ("proxy-buffers-number", Low),
    ("proxy-busy-buffers-size", Low),
    ("proxy-connect-timeout", Low),
    ("proxy-cookie-domain", Medium),
    ("proxy-cookie-path", Medium),
    ("proxy-http-version", Low),
    ("proxy-max-temp-file-size", Low),
    ("proxy-next-upstream", Medium),
    ("proxy-next-upstream-timeout", Low),
    ("proxy-next-upstream-tries", Low),
    ("proxy-read-timeout", Low),
    ("proxy-redirect-from", Medium),
    ("proxy-redirect-to", Medium),
    ("proxy-request-buffering", Low),
    ("proxy-send-timeout", Low),
    ("proxy-ssl-ciphers", Medium),
    ("proxy-ssl-name", High),
    ("proxy-ssl-protocols", Low),
    ("proxy-ssl-secret", Medium),
    ("proxy-ssl-server-name", Low),
    ("proxy-ssl-verify", Low),
    ("proxy-ssl-verify-depth", Low),
    ("relative-redirects", Low),
    ("rewrite-target", Medium),
    ("satisfy", Low),
    ("server-alias", High),
    ("server-snippet", Critical),
    ("service-upstream", Low),
    ("session-cookie-change-on-failure", Low),
    ("session-cookie-conditional-samesite-none", Low),
    ("session-cookie-domain", Medium),
    ("session-cookie-expires", Medium),
    ("session-cookie-max-age", Medium),
    ("session-cookie-name", Medium),
    ("session-cookie-path", Medium),
    ("session-cookie-samesite", Low),
    ("session-cookie-secure", Low),
    ("ssl-ciphers", Low),
    ("ssl-passthrough", Low),
    ("ssl-prefer-server-ciphers", Low),
    ("ssl-redirect", Low),
    ("stream-snippet", Critical),
    ("temporal-redirect", Medium),
    ("temporal-redirect-code", Low),
    ("upstream-hash-by", High),
    ("upstream-hash-by-subset", Low),
    ("upstream-hash-by-subset-size", Low),
    ("upstream-vhost", Low),
    ("use-port-in-redirects", Low),
    ("use-regex", Low),
    ("whitelist-source-range", Medium),
    ("x-forwarded-prefix", Medium),
];

/// The risk that the annotation of this name is of; none if there is none of this name.
pub(in crate::annotations) fn risk(word: &str) -> Option<RiskLevel> {
    let place = NAMES.binary_search_by(|(name, _)| name.cmp(&word)).ok()?;
    Some(NAMES[place].1)
}

/// The name that is most like this one, if one is so much like it that it was most likely meant.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    // A slip or two of the pen; a third in a long name.
    let most = if word.len() < 8 { 1 } else { 2 + usize::from(word.len() > 16) };
    let near = NAMES.iter().map(|(name, _)| (distance(word, name, most), *name));
    near.min().and_then(|(distance, name)| (distance <= most).then_some(name))
}

/// How many bytes have to be written, left out or replaced to make one of the other (Levenshtein), or more than `most`.
fn distance(one: &str, other: &str, most: usize) -> usize {
    if one.len().abs_diff(other.len()) > most {
        return most + 1;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, byte) in one.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], at + 1);
        for (place, theirs) in other.bytes().enumerate() {
            let replaced = before + usize::from(byte != theirs);
            before = row[place + 1];
            row[place + 1] = replaced.min(before + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_each_is_there_once() {
        assert!(NAMES.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn a_slip_of_the_pen_is_near_what_was_meant_and_another_word_is_not() {
        for (written, meant) in [
            ("rewrite-targt", Some("rewrite-target")),
            ("whitelist-source-ranges", Some("whitelist-source-range")),
            ("ssl-redirects", Some("ssl-redirect")),
            ("auth-ulr", Some("auth-url")),
            ("proxy-body-sizes", Some("proxy-body-size")),
            ("server-aliases", Some("server-alias")),
            ("something-else", None),
            ("hsts", None),
            ("", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }
}
