//! What the names of annotations do, for those that ask about an Ingress beside what is wrong with it.

use super::{nginx, own};

/// What comes of an annotation, as far as its name says it. What is wrong with its value is a [`Problem`](model::Problem).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is none of a dialect that is read here.
    Foreign,
    /// It is read, and does what it says.
    Honoured,
    /// It has nothing to do here, for this reason, and nothing is missing without it.
    Needless(&'static str),
    /// It is known or not, and has no effect beside a problem.
    NotHonoured,
}

/// What comes of an annotation of this name.
pub fn effect_of(name: &str) -> Effect {
    if let Some(word) = name.strip_prefix(nginx::DIALECT.prefix) {
        return nginx::effect(word);
    }
    match name.strip_prefix(own::DIALECT.prefix) {
        None => Effect::Foreign,
        Some(word) if own::DIALECT.rows.iter().any(|(known, _)| *known == word) => Effect::Honoured,
        Some(_) => Effect::NotHonoured,
    }
}
