//! What the operator of ingress-nginx lets its annotations do (`annotations-risk-level` and `allow-snippet-annotations` of its
//! ConfigMap).

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::Ingress;

use super::Annotation;
use super::nginx::{self, RiskLevel};
use crate::problems::Fault;
use crate::reasons;

/// Which annotations of ingress-nginx are read. By default all are: none is passed on as text, so none has the risk that it has
/// there. With ingress-nginx' ConfigMap it is as that says, so that nothing is served which was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// An Ingress with an annotation of more risk is not served.
    pub(crate) risk: RiskLevel,
    /// Whether snippets are read.
    pub(crate) snippets: bool,
}

impl Default for Allowed {
    fn default() -> Allowed {
        Allowed { risk: RiskLevel::Critical, snippets: true }
    }
}

impl Allowed {
    /// As a ConfigMap of ingress-nginx says it, and where it does not say it as ingress-nginx has it: snippets are of more risk
    /// than it allows.
    pub(crate) fn of_config_map(data: &BTreeMap<String, String>) -> Allowed {
        let risk = data.get("annotations-risk-level").map(|level| RiskLevel::parse(level));
        let snippets = data.get("allow-snippet-annotations").is_some_and(|value| value == "true");
        Allowed { risk: risk.unwrap_or_default(), snippets }
    }

    /// Whether an annotation of this name is read.
    pub(super) fn reads(self, name: &str) -> bool {
        self.snippets || !name.ends_with("-snippet")
    }

    /// What is told of an annotation of more risk.
    pub(super) fn refusal(self, name: &str, level: RiskLevel) -> Fault {
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

/// Why an Ingress is not served at all: for an annotation of more risk than is allowed, as with ingress-nginx.
pub(crate) fn too_risky(ingress: &Ingress, allowed: Allowed) -> Option<(String, Fault)> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    let found = nginx::DIALECT.asked(annotations).find_map(|(_, name, value)| {
        let word = name.strip_prefix(nginx::DIALECT.prefix)?;
        let level = nginx::risk(word).filter(|level| *level > allowed.risk)?;
        Some((Annotation { name, value, namespace: "" }, level))
    });
    let (annotation, level) = found?;
    Some((annotation.field(), allowed.refusal(annotation.name, level)))
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
        assert_eq!(of(&[]), Allowed { risk: RiskLevel::High, snippets: false });
        let both = [("allow-snippet-annotations", "true"), ("annotations-risk-level", "critical")];
        assert_eq!(of(&both), Allowed::default());
        assert_eq!(of(&[("annotations-risk-level", "none")]).risk, RiskLevel::Low);
    }
}
