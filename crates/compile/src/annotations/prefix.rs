//! The prefix of ingress-nginx' annotations, where the operator has chosen another.

use std::borrow::Cow;

use k8s_openapi::api::networking::v1::Ingress;

use super::nginx;
use crate::Settings;

/// The Ingress with its annotations of ingress-nginx under their usual prefix, where the operator has chosen another: those
/// that have the usual one are nobody's then.
pub(crate) fn under_usual_prefix<'i>(ingress: &'i Ingress, settings: &Settings) -> Cow<'i, Ingress> {
    let (Some(prefix), Some(annotations)) = (&settings.annotations_prefix, &ingress.metadata.annotations)
    else {
        return Cow::Borrowed(ingress);
    };
    let usual = nginx::DIALECT.prefix;
    let renamed = annotations.iter().filter(|(name, _)| !name.starts_with(usual));
    let renamed = renamed.map(|(name, value)| {
        let word = name.strip_prefix(&**prefix).and_then(|word| word.strip_prefix('/'));
        (word.map_or_else(|| name.clone(), |word| format!("{usual}{word}")), value.clone())
    });
    let mut ingress = Ingress::clone(ingress);
    ingress.metadata.annotations = Some(renamed.collect());
    Cow::Owned(ingress)
}
