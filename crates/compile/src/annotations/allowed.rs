//! What the operator of ingress-nginx lets its annotations do (`annotations-risk-level`, `annotation-value-word-blocklist` and
//! `allow-snippet-annotations` of its ConfigMap).

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;

use super::nginx::{self, RiskLevel};
use super::{Annotation, shown};
use crate::problems::Fault;
use crate::reasons;

/// Which annotations of ingress-nginx are read. By default all are: none is passed on as text, so none has the risk that it has
/// there. With ingress-nginx' ConfigMap it is as that says, so that nothing is served which was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// An Ingress with an annotation of more risk is not served.
    pub(crate) risk: RiskLevel,
    /// Whether snippets are read.
    pub(crate) snippets: bool,
    /// An Ingress with one of these in an annotation's value is not served.
    pub(crate) forbidden: Arc<[String]>,
}

impl Default for Allowed {
    fn default() -> Allowed {
        Allowed { risk: RiskLevel::Critical, snippets: true, forbidden: Arc::default() }
    }
}

impl Allowed {
    /// As a ConfigMap of ingress-nginx says it, and where it does not say it as ingress-nginx has it: snippets are of more risk
    /// than it allows.
    pub(crate) fn of_config_map(data: &BTreeMap<String, String>) -> Allowed {
        let risk = data.get("annotations-risk-level").map(|level| RiskLevel::parse(level));
        let snippets = data.get("allow-snippet-annotations").is_some_and(|value| value == "true");
        let words = data.get("annotation-value-word-blocklist").map_or("", |words| words.trim());
        let forbidden = words.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Allowed { risk: risk.unwrap_or_default(), snippets, forbidden }
    }

    /// Whether an annotation of this name is read.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.snippets || !name.ends_with("-snippet")
    }

    /// What is told of an annotation for which its Ingress is not served.
    fn refuse(&self, Annotation { name, value, .. }: &Annotation<'_>) -> Option<Fault> {
        let word = name.strip_prefix(nginx::DIALECT.prefix)?;
        if let Some(forbidden) = self.forbidden.iter().find(|forbidden| value.contains(&***forbidden)) {
            let message = format!(
                "{name} has {} in it, which ingress-nginx' ConfigMap forbids (annotation-value-word-blocklist), so the \
                 Ingress is not served, with ingress-nginx neither",
                shown(forbidden),
            );
            return Some(Fault::error(reasons::RISKY_ANNOTATION, message, "write it without that"));
        }
        let level = nginx::risk(word).filter(|level| *level > self.risk)?;
        Some(self.refusal(name, level))
    }

    /// What is told of an annotation of more risk.
    fn refusal(&self, name: &str, level: RiskLevel) -> Fault {
        let message = format!(
            "{name} is of risk {}, and ingress-nginx' ConfigMap allows {} (annotations-risk-level), so the Ingress is not \
             served, with ingress-nginx neither",
            level.as_str(),
            self.risk.as_str(),
        );
        let remedy = format!("remove it, or write annotations-risk-level: {} there", level.as_str());
        Fault::error(reasons::RISKY_ANNOTATION, message, remedy)
    }
}

/// Why an Ingress is not served at all: for an annotation of more risk than is allowed, or with a word that is forbidden, as with
/// ingress-nginx.
pub(crate) fn too_risky(ingress: &Ingress, allowed: &Allowed) -> Option<(String, Fault)> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    nginx::DIALECT.asked(annotations).find_map(|(_, name, value)| {
        let annotation = Annotation { name, value, namespace: "" };
        Some((annotation.field(), allowed.refuse(&annotation)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_map_that_says_nothing_allows_what_ingress_nginx_does() {
        let of = |data: &[(&str, &str)]| {
            Allowed::of_config_map(
                &data.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            )
        };
        assert_eq!(of(&[]), Allowed { risk: RiskLevel::High, snippets: false, ..Allowed::default() });
        let both = [("allow-snippet-annotations", "true"), ("annotations-risk-level", "critical")];
        assert_eq!(of(&both), Allowed::default());
        assert_eq!(of(&[("annotations-risk-level", "none")]).risk, RiskLevel::Low);
        // An empty word is in every value: with ingress-nginx no Ingress would be served.
        let words = [("annotation-value-word-blocklist", "a, b,")];
        assert_eq!(*of(&words).forbidden, ["a".to_owned(), " b".to_owned()]);
    }
}
