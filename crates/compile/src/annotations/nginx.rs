//! ingress-nginx' dialect. What has no reader here stands in [`unread`], with what is done about it; what decides on access and
//! is not honoured denies. All names stand in [`names`].

mod names;
mod unread;

pub use names::RiskLevel;

use unread::{FORMER, UNREAD};

use super::{Annotation, Dialect, Effect, Reader, access, backend, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: not_honoured };

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

const ROWS: &[(&str, Reader)] = &[
    ("backend-protocol", backend::protocol),
    ("canary", canary),
    ("denylist-source-range", access::deny),
    ("proxy-connect-timeout", time::connect_seconds),
    ("proxy-next-upstream-tries", time::tries),
    ("proxy-read-timeout", time::read_seconds),
    ("proxy-ssl-name", backend::tls_name),
    ("proxy-ssl-secret", backend::tls_secret),
    ("proxy-ssl-server-name", backend::send_tls_name),
    ("proxy-ssl-verify", backend::tls_verify),
    // The older name of the one below, which counts where both are there.
    ("whitelist-source-range", access::allow),
    ("allowlist-source-range", access::allow),
];

/// Whether the Ingress is a variant of another one, for a share of its requests.
fn canary(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    // As ingress-nginx reads booleans (Go's strconv.ParseBool).
    settings.canary = matches!(annotation.value, "1" | "t" | "T" | "true" | "TRUE" | "True");
    // What is a canary is told of as a whole.
    if settings.canary { Ok(()) } else { not_honoured(annotation, settings) }
}

/// How a name of ingress-nginx' is met that this table has no reader for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has nothing to do here, and nothing is missing without it.
    Needless,
    /// It has no effect, which its author is told.
    Told,
    /// It restricts access: the whole Ingress is refused.
    Denies,
    /// ingress-nginx itself has given it up; its author is told.
    Former,
}

/// What is done about a word that has no reader.
fn not_honoured(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    let word = name.strip_prefix(PREFIX).unwrap_or(name);
    let Some(row) = UNREAD.iter().chain(FORMER).find(|row| row.is(word)) else {
        return Err(unknown(name, word).into());
    };
    match row.standing {
        _ if row.idle.contains(value) => Ok(()),
        Standing::Needless => Ok(()),
        Standing::Told | Standing::Former => {
            let message = format!("{name} {}", row.why);
            Err(Fault::warning(reasons::UNSUPPORTED_ANNOTATION, message, row.instead).into())
        }
        Standing::Denies => {
            let message =
                format!("{name} {}, and is not honoured, so the whole Ingress is answered 503", row.why);
            Err(Fault::denied(message, row.instead).into())
        }
    }
}

/// What is said of a name that ingress-nginx does not have and never had. It ignores those; but a slip of the pen must not open
/// what was to be guarded.
fn unknown(name: &str, word: &str) -> Fault {
    let nearest = names::nearest(word);
    let remedy = match nearest {
        Some(meant) => format!("write {PREFIX}{meant} if that is meant, or remove it"),
        None => "remove it".into(),
    };
    if may_guard(word) || nearest.is_some_and(may_guard) {
        let message =
            format!("{name} is not known and may be meant as a guard, so the whole Ingress is answered 503");
        return Fault::denied(message, remedy);
    }
    let message = format!("{name} is not known, to ingress-nginx neither, and has no effect");
    Fault::warning(reasons::UNKNOWN_ANNOTATION, message, remedy)
}

/// Whether a name is, or looks like, one that decides on access. Rate limits do not: they protect endpoints from load, not
/// their data from readers.
fn may_guard(word: &str) -> bool {
    const BEGINNINGS: [&str; 9] =
        ["allow", "auth", "black", "block", "deny", "enable-modsec", "modsec", "satisfy", "white"];
    let word = word.to_ascii_lowercase();
    BEGINNINGS.iter().any(|start| word.starts_with(start))
}

/// How a name of this dialect is met, without its prefix.
pub(super) fn effect(word: &str) -> Effect {
    if ROWS.iter().any(|(known, _)| *known == word) {
        return Effect::Honoured;
    }
    match UNREAD.iter().find(|row| row.is(word)) {
        Some(row) if row.standing == Standing::Needless => Effect::Needless(row.why),
        _ => Effect::NotHonoured,
    }
}

#[cfg(test)]
mod tests;
