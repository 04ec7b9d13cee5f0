//! The answer to ingress-nginx' annotations that nothing here reads, and to names that it does not have. No annotation is passed
//! over in silence, and none that decides on access is without effect: it denies.

mod rows;

use super::{PREFIX, ROWS, names};
use crate::annotations::{Annotation, Effect};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

use rows::{FORMER, UNREAD};

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
pub(super) fn answer(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    let word = name.strip_prefix(PREFIX).unwrap_or(name);
    let Some(row) = UNREAD.iter().chain(FORMER).find(|row| row.is(word)) else {
        return Err(unknown(name, word).into());
    };
    match row.standing {
        _ if row.idle.contains(value) => Ok(()),
        Standing::Needless => Ok(()),
        Standing::Told => {
            let message = format!("{name} {}", row.why);
            Err(Fault::warning(reasons::UNSUPPORTED_ANNOTATION, message, row.instead).into())
        }
        Standing::Former => {
            let message = format!("{name} {}", row.why);
            Err(Fault::warning(reasons::UNKNOWN_ANNOTATION, message, row.instead).into())
        }
        Standing::Denies => {
            let message =
                format!("{name} {} and is not honoured, so the whole Ingress is answered 503", row.why);
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
pub(in crate::annotations) fn effect(word: &str) -> Effect {
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
