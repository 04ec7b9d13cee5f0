//! What an Ingress' annotations ask for: our own dialect, and what is told of dialects that are not honoured.

use std::collections::BTreeMap;

use model::{Balance, ObjectRef, Policy, Protocol};

use crate::problems::{Fault, Problems};
use crate::{Settings, reasons};

/// The prefix of our own dialect.
const OWN: &str = "sluicegate.io/";
/// The own annotations, without their prefix.
const OWN_KNOWN: [&str; 2] = [BACKEND_PROTOCOL, LOAD_BALANCE];
/// What is spoken with the endpoints: a word of [`Protocol`]. ingress-nginx' annotation of this name is honoured too.
const BACKEND_PROTOCOL: &str = "backend-protocol";
/// How endpoints share requests: `least-request` or `round-robin`.
const LOAD_BALANCE: &str = "load-balance";
/// The prefix of ingress-nginx' dialect, of which little is honoured yet.
const NGINX: &str = "nginx.ingress.kubernetes.io/";

/// What the annotations come to.
pub(crate) struct Reading {
    /// What applies to all routes of the Ingress.
    pub(crate) policy: Policy,
    /// What is spoken with all its backends, if it says so.
    pub(crate) protocol: Option<Protocol>,
    /// Whether access was to be restricted in a way that cannot be honoured: then nobody gets access.
    pub(crate) denied: bool,
    /// Whether the Ingress is a canary: a variant of another one, for a share of its requests. Served by itself it could
    /// take them all.
    pub(crate) canary: bool,
}

/// Reads all annotations of an Ingress.
pub(crate) fn read(
    ingress: &ObjectRef,
    annotations: Option<&BTreeMap<String, String>>,
    settings: &Settings,
    problems: &mut Problems,
) -> Reading {
    let policy = Policy { balance: settings.balance };
    let mut reading = Reading { policy, protocol: None, denied: false, canary: false };
    for (name, value) in annotations.into_iter().flatten() {
        let outcome = if let Some(own) = name.strip_prefix(OWN) {
            read_own(own, value, &mut reading)
        } else if name.strip_prefix(NGINX) == Some(BACKEND_PROTOCOL) {
            read_protocol(name, value).map(|protocol| reading.protocol = reading.protocol.or(Some(protocol)))
        } else if let Some(nginx) = name.strip_prefix(NGINX) {
            let denies = restricts_access(nginx, value);
            reading.denied |= denies;
            reading.canary |= nginx == "canary" && value == "true";
            Err(not_honoured(name, denies))
        } else {
            Ok(())
        };
        if let Err(fault) = outcome {
            problems.add(ingress.clone(), format!("metadata.annotations[{name}]"), fault);
        }
    }
    reading
}

/// Without regard to case, as ingress-nginx reads it.
fn read_protocol(name: &str, value: &str) -> Result<Protocol, Fault> {
    let known = Protocol::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(value.trim()));
    known.ok_or_else(|| {
        Fault::error(
            reasons::INVALID_ANNOTATION,
            format!("{name} cannot be {value:?}; what the Service says applies, else http"),
            "write http, https, grpc or grpcs",
        )
    })
}

fn read_own(name: &str, value: &str, reading: &mut Reading) -> Result<(), Fault> {
    let policy = &mut reading.policy;
    match (name, value) {
        (BACKEND_PROTOCOL, value) => {
            reading.protocol = Some(read_protocol(&format!("{OWN}{BACKEND_PROTOCOL}"), value)?);
        }
        (LOAD_BALANCE, "least-request") => policy.balance = Balance::LeastRequest,
        (LOAD_BALANCE, "round-robin") => policy.balance = Balance::RoundRobin,
        (LOAD_BALANCE, _) => {
            return Err(Fault::error(
                reasons::INVALID_ANNOTATION,
                format!("{OWN}{LOAD_BALANCE} cannot be {value:?}; {} applies", policy.balance.as_str()),
                "write least-request or round-robin",
            ));
        }
        _ => {
            let known = OWN_KNOWN.map(|known| format!("{OWN}{known}")).join(", ");
            return Err(Fault::warning(
                reasons::UNKNOWN_ANNOTATION,
                format!("{OWN}{name} is not known and has no effect"),
                format!("use one of {known}, or remove it"),
            ));
        }
    }
    Ok(())
}

fn not_honoured(name: &str, denies: bool) -> Fault {
    if denies {
        Fault::error(
            reasons::DENIED,
            format!("{name} restricts access and is not honoured, so the whole Ingress is answered 503"),
            "remove it if anybody may have access; otherwise keep this Ingress with a controller that honours it",
        )
    } else {
        Fault::warning(
            reasons::UNSUPPORTED_ANNOTATION,
            format!("{name} is not honoured and has no effect"),
            "remove it, or keep this Ingress with a controller that honours it",
        )
    }
}

/// Whether an annotation of ingress-nginx decides who gets access. Rate limits do not: they protect the upstream from
/// load, not its data from readers. Neither does what is switched off.
fn restricts_access(name: &str, value: &str) -> bool {
    match name {
        "whitelist-source-range" | "allowlist-source-range" | "denylist-source-range" | "satisfy" => true,
        // Whoever asks for the endpoint to be verified would not want to hear from another.
        "proxy-ssl-verify" => value == "on",
        "enable-modsecurity" | "enable-owasp-core-rules" => value != "false",
        "modsecurity-snippet" => true,
        "server-snippet" | "configuration-snippet" | "stream-snippet" => snippet_restricts_access(value),
        _ => name.starts_with("auth-"),
    }
}

/// Whether a snippet of nginx' configuration may decide who gets access: by the directives and answers that do.
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
    fn only_annotations_that_decide_who_gets_access_deny() {
        for (name, value, denies) in [
            ("auth-url", "http://auth", true),
            ("auth-type", "basic", true),
            ("auth-tls-secret", "shop/ca", true),
            ("whitelist-source-range", "10.0.0.0/8", true),
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
