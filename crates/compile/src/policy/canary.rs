//! What goes to a canary.

use std::sync::Arc;

use model::{Pattern, Primary, RequestCondition, Share, Split, SplitRule, Target, ValueMatch};

use super::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// The sum of weights if none is said, and the least: what is said to be less counts as this.
const TOTAL: u32 = 100;

/// Which requests go to an object that is a variant of another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct CanarySettings {
    /// Whether it is one.
    pub(crate) is_on: bool,
    /// The header field that decides, in lower case.
    pub(crate) header: Option<Arc<str>>,
    /// The one value that goes to the canary; without one and without a pattern `always` does, and `never` does not.
    pub(crate) header_value: Option<Arc<str>>,
    /// The values that do; `Some(None)` for a pattern that cannot be read.
    pub(crate) header_pattern: Option<Option<Pattern>>,
    /// The cookie that decides, by `always` and `never`.
    pub(crate) cookie: Option<Arc<str>>,
    /// Which part of the total goes to the canary of what neither decides on.
    pub(crate) weight: u32,
    pub(crate) total: Option<u32>,
    /// Whether it keeps no client, even where the primary one does.
    pub(crate) keeps_none: bool,
}

/// What is said of a canary by an object that is none.
pub(super) fn check(asked: &RouteSettings) -> Option<Fault> {
    let CanarySettings { is_on, header, header_value, header_pattern, cookie, weight, .. } = &asked.canary;
    let is_meant = header.is_some()
        || header_value.is_some()
        || header_pattern.is_some()
        || cookie.is_some()
        || *weight > 0;
    (!is_on && is_meant).then(|| {
        let message = "says which requests go to a canary, and that it is none; it is served as any other";
        Fault::warning(reasons::NO_EFFECT, message, "let nginx.ingress.kubernetes.io/canary be \"true\"")
    })
}

/// The target of a route with a canary: header, cookie, weight decide in that order. The canary serves nothing that the primary
/// one should, and the primary one all while the canary has no endpoint.
pub(crate) fn split(asked: &CanarySettings, primary: u32, canary: u32) -> Target {
    let rule = |condition, backend| SplitRule { condition, backend };
    let mut rules = Vec::new();
    if let Some(name) = &asked.header {
        let header = |value| RequestCondition::Header { name: Arc::clone(name), value };
        let exact = |value: &str| header(ValueMatch::Exact(value.into()));
        match (&asked.header_value, &asked.header_pattern) {
            (Some(value), _) => rules.push(rule(exact(value), canary)),
            (None, Some(Some(pattern))) => {
                rules.push(rule(header(ValueMatch::Pattern(pattern.clone())), canary));
            }
            // As ingress-nginx, for which a pattern that cannot be read sends all that have the field to the primary one.
            (None, Some(None)) => {
                let any = Pattern::of_value("").expect("the empty pattern is one");
                rules.push(rule(header(ValueMatch::Pattern(any)), primary));
            }
            (None, None) => rules.extend([rule(exact("always"), canary), rule(exact("never"), primary)]),
        }
    }
    if let Some(name) = &asked.cookie {
        let cookie = |value: &str| RequestCondition::Cookie {
            name: Arc::clone(name),
            value: ValueMatch::Exact(value.into()),
        };
        rules.extend([rule(cookie("always"), canary), rule(cookie("never"), primary)]);
    }
    let total = asked.total.unwrap_or_default().max(TOTAL);
    let weight = asked.weight.min(total);
    let shares = vec![Share { backend: primary, weight: total - weight }, Share { backend: canary, weight }];
    let primary = Primary { backend: primary, others_stick: !asked.keeps_none };
    let split = Split::new(rules, shares).expect("the total is not 0").of_variants(primary);
    Target::Split(Box::new(split))
}
