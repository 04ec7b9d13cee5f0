//! Why nothing is served, in one line: an operator who sees only 404 must not have to guess.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;
use model::ObjectRef;

use crate::problems::{Fault, Problems};
use crate::{Objects, Settings, class, counts, reasons};

/// More classes than these, those of most Ingresses, are only counted.
const CLASSES_TOLD_MAX: usize = 8;

/// Why there is no route: the reason, and one line that says how many Ingresses of which classes there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoutes {
    /// What changes only if something else is wrong, and not with each Ingress that comes or goes.
    pub reason: NoRoutesReason,
    /// What an operator reads.
    pub text: Arc<str>,
}

/// Where the Ingresses end that are no routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoutesReason {
    /// There is none.
    NoIngress,
    /// None is in a namespace that counts.
    OtherNamespaces,
    /// None is of a class that is ours.
    OtherClasses,
    /// Ours have no rule that can be served.
    NothingToServe,
}

impl fmt::Display for NoRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why no route came of the objects, among which so many Ingresses are ours.
pub(crate) fn why(objects: &Objects, settings: &Settings, ours: usize) -> NoRoutes {
    let (all, counting) = (objects.ingresses.len(), counting(objects).count());
    let (reason, why) = match (all, counting, ours) {
        (0, ..) => (NoRoutesReason::NoIngress, no_ingress(settings)),
        (all, 0, _) => (
            NoRoutesReason::OtherNamespaces,
            format!("{} in namespaces without the labels of --watch-namespace-selector", ingresses(all)),
        ),
        (_, counting, 0) => (
            NoRoutesReason::OtherClasses,
            format!("none of {} is of a class that is ours", ingresses(counting)),
        ),
        (.., ours) => (
            NoRoutesReason::NothingToServe,
            format!("none of the {} of ours has a rule that can be served", ingresses(ours)),
        ),
    };
    let text = format!(
        "no routes: {why}; classes: {}; ours are {:?} and those of controller {}",
        classes(objects),
        settings.class,
        settings.controller_name,
    );
    NoRoutes { reason, text: text.into() }
}

fn no_ingress(settings: &Settings) -> String {
    match &*settings.only_namespaces {
        [] => "there is no Ingress".into(),
        only => format!("there is no Ingress in the namespaces of --watch-namespace ({})", only.join(", ")),
    }
}

/// Tells that there are Ingresses and none of them is ours. That is no fault of theirs, so it is told of our class; and
/// without their number, or each that comes or goes would be another problem.
pub(crate) fn tell(objects: &Objects, settings: &Settings, problems: &mut Problems) {
    if counting(objects).next().is_none() {
        return;
    }
    let most = seen(objects).into_iter().find_map(|(name, count)| name.filter(|_| count > 0));
    let start = most.map(|name| format!(", or start with --class and the class that is meant, as {name:?}"));
    let fault = Fault::warning(
        reasons::NO_ROUTES,
        "no Ingress is of a class that is ours, so nothing is served",
        format!("name the class {:?} in an Ingress{}", settings.class, start.unwrap_or_default()),
    );
    problems.add(ObjectRef::new("IngressClass", "", &settings.class), "", fault);
}

fn counting(objects: &Objects) -> impl Iterator<Item = &Ingress> {
    objects.ingresses.iter().filter(|(key, _)| counts(key, objects)).map(|(_, ingress)| &**ingress)
}

/// The classes that there are or that Ingresses name, with how many do; those of most first.
fn seen(objects: &Objects) -> Vec<(Option<&str>, usize)> {
    let mut seen: BTreeMap<Option<&str>, usize> =
        objects.ingress_classes.keys().map(|name| (Some(&**name), 0)).collect();
    for ingress in counting(objects) {
        *seen.entry(class::named(ingress)).or_default() += 1;
    }
    let mut seen: Vec<_> = seen.into_iter().collect();
    seen.sort_by_key(|(_, count)| Reverse(*count));
    seen
}

fn classes(objects: &Objects) -> String {
    let seen = seen(objects);
    let mut told: Vec<String> =
        seen.iter().take(CLASSES_TOLD_MAX).map(|(name, count)| class(objects, *name, *count)).collect();
    match seen.len().saturating_sub(CLASSES_TOLD_MAX) {
        0 if told.is_empty() => "none".into(),
        0 => told.join(", "),
        more => {
            told.push(format!("{more} more"));
            told.join(", ")
        }
    }
}

fn class(objects: &Objects, name: Option<&str>, count: usize) -> String {
    let count = ingresses(count);
    match name.map(|name| (name, objects.ingress_classes.get(name))) {
        None => format!("none ({count})"),
        Some((name, None)) => format!("{name:?} (no IngressClass, {count})"),
        Some((name, Some(class))) => format!("{name:?} ({}, {count})", class::controller(class)),
    }
}

fn ingresses(count: usize) -> String {
    match count {
        1 => "1 Ingress".into(),
        count => format!("{count} Ingresses"),
    }
}
