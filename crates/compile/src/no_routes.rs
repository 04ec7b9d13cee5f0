//! Why nothing is served, in one line: an operator who sees only 404 must not have to guess.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::Ingress;
use model::ObjectRef;

use crate::problems::{Fault, Problems};
use crate::{Objects, Settings, class, counts, reasons};

/// More classes than these, those of most Ingresses, are only counted.
const CLASSES_TOLD_MAX: usize = 8;

/// Why no route came of the objects; so many of their Ingresses are ours.
pub(crate) fn why(objects: &Objects, settings: &Settings, ours: usize) -> String {
    let (all, counting) = (objects.ingresses.len(), counting(objects).count());
    let why = match (all, counting, ours) {
        (0, ..) => match &*settings.only_namespaces {
            [] => "there is no Ingress".into(),
            only => {
                format!("there is no Ingress in the namespaces of --watch-namespace ({})", only.join(", "))
            }
        },
        (all, 0, _) => {
            format!("{} in namespaces without the labels of --watch-namespace-selector", ingresses(all))
        }
        (_, counting, 0) => format!("none of {} is of a class that is ours", ingresses(counting)),
        (.., ours) => format!("none of the {} of ours has a rule that can be served", ingresses(ours)),
    };
    format!(
        "no routes: {why}; classes: {}; ours are {:?} and those of controller {}",
        classes(objects),
        settings.class,
        settings.controller_name,
    )
}

/// Tells that there are Ingresses and none of them is ours. That is no fault of theirs, so it is told of our class.
pub(crate) fn tell(objects: &Objects, settings: &Settings, problems: &mut Problems) {
    let count = counting(objects).count();
    if count == 0 {
        return;
    }
    let most = seen(objects).into_iter().find_map(|(name, count)| name.filter(|_| count > 0));
    let start = most.map(|name| format!(", or start with --class and the class that is meant, as {name:?}"));
    let fault = Fault::warning(
        reasons::NO_ROUTES,
        format!("none of {} is of a class that is ours, so nothing is served", ingresses(count)),
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
