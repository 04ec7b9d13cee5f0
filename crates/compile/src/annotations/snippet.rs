//! Readers of snippets: pieces of nginx' configuration. Nothing of one is executed or passed on as text. It is read into the
//! settings that annotations have, if that is possible for **all** that it says; else nothing of it holds, and where it may guard
//! access the whole Ingress is refused.

mod directive;
mod field;
mod meaning;
mod syntax;

use std::sync::Arc;

use super::{Annotation, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

use directive::Unread;
use meaning::Meaning;
use syntax::Directive;

/// Most directives that are told of in a snippet which is not read: its author mends these, and looks again.
const TOLD_MAX: usize = 5;

/// Where in nginx' configuration a snippet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Behind all that ingress-nginx itself writes for a path.
    Location,
    /// Above the paths of a host: what is written for a path counts more.
    Server,
}

/// What a snippet says of a host. It holds for the routes of all objects, and is applied when all are read.
#[derive(Clone, Debug)]
pub(crate) struct HostSnippet(Option<Meaning>);

impl HostSnippet {
    /// Makes it so in the settings of an object's routes for the host.
    pub(crate) fn apply(&self, settings: &mut RouteSettings) {
        match &self.0 {
            Some(meaning) => meaning.apply_to_host(settings),
            None => settings.denied = true,
        }
    }

    /// The same of an operator's, which holds for all hosts and stands behind that of the host, if there is one.
    pub(crate) fn apply_behind(&self, has_other: bool, settings: &mut RouteSettings) {
        match &self.0 {
            Some(meaning) if has_other => meaning.apply_behind(settings),
            _ => self.apply(settings),
        }
    }
}

/// What is to hold for the paths of an Ingress.
pub(super) fn location(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let (meaning, faults) = read(annotation, Place::Location);
    if let Some(meaning) = meaning {
        meaning.apply(settings);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// What is to hold for its hosts.
pub(super) fn server(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let (meaning, faults) = read(annotation, Place::Server);
    if meaning.is_some() || faults.iter().any(Fault::denies) {
        settings.host_snippet = Some(Arc::new(HostSnippet(meaning)));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// What is to hold for the paths of all Ingresses, as the operator says.
pub(super) fn operators_location(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    location(annotation, settings)
}

/// What is to hold for all hosts.
pub(super) fn operators_server(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let (meaning, faults) = read(annotation, Place::Server);
    settings.operators_snippets.extend(meaning.map(|meaning| Arc::new(HostSnippet(Some(meaning)))));
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The same above all hosts, where definitions stand that do nothing by themselves.
pub(super) fn operators_http(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let defines = |all: Vec<Directive>| all.iter().all(|one| directive::only_defines(&one.name));
    if syntax::parse(annotation.value).is_ok_and(defines) {
        let message = format!("{} is not read: what it defines is for other snippets", annotation.name);
        let remedy = "remove it once nothing uses it";
        return Err(Fault::warning(reasons::NO_EFFECT, message, remedy).into());
    }
    operators_server(annotation, settings)
}

/// The fields that a snippet sends a server, if it says nothing else.
///
/// # Errors
/// Says what else it says.
pub(super) fn sent_fields(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    for Directive { name, mut arguments, block } in syntax::parse(text)? {
        match (&*name, &mut *arguments) {
            ("proxy_set_header", [field, value]) => {
                fields.push((std::mem::take(field), std::mem::take(value)))
            }
            _ if block.is_none() && directive::has_nothing_to_do(&name) => {}
            _ => return Err(format!("has {}, which is not read", shown(&name))),
        }
    }
    Ok(fields)
}

/// One word as nginx reads it, with its quotation marks and backslashes.
///
/// # Errors
/// Says why it is none.
pub(super) fn one_word(text: &str) -> Result<String, String> {
    match &mut *syntax::parse(&format!("{text};"))? {
        [Directive { name, arguments, block: None }] if arguments.is_empty() => Ok(std::mem::take(name)),
        _ => Err("is more than one word".into()),
    }
}

/// What a snippet asks for, if it is read, and what is to be told of it.
fn read(annotation: &Annotation<'_>, place: Place) -> (Option<Meaning>, Vec<Fault>) {
    // As ingress-nginx takes a value, quotation marks or not.
    let text: Vec<&str> = annotation.value.lines().map(str::trim).collect();
    let directives = match syntax::parse(&text.join("\n")) {
        Ok(directives) => directives,
        Err(why) => return (None, unreadable(annotation, &why)),
    };
    match Meaning::of(&directives, place) {
        Ok(meaning) => {
            let faults = meaning.without_effect.iter().map(|name| without_effect(annotation, name)).collect();
            (Some(meaning), faults)
        }
        Err(unread) => (None, not_read(annotation, &directives, unread)),
    }
}

/// What the operator does not let Ingresses say. ingress-nginx serves such an Ingress without it; where it may guard access it is
/// refused here.
pub(super) fn ignored(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let name = annotation.name;
    let guards = syntax::parse(annotation.value).map_or(true, |all| all.iter().any(directive::may_guard));
    let remedy = "remove it, or write allow-snippet-annotations: \"true\" into ingress-nginx' ConfigMap";
    if guards {
        let message = format!(
            "{name} is not allowed by ingress-nginx' ConfigMap and may guard access, so the whole Ingress is answered 503"
        );
        return Err(Fault::denied(message, remedy).into());
    }
    let message =
        format!("{name} is not allowed by ingress-nginx' ConfigMap and has no effect, there neither");
    Err(Fault::warning(reasons::NO_EFFECT, message, remedy).into())
}

/// What nginx cannot read either may guard anything.
fn unreadable(annotation: &Annotation<'_>, why: &str) -> Vec<Fault> {
    let message =
        format!("{} {why}, and may guard access, so the whole Ingress is answered 503", annotation.name);
    Fault::denied(message, "correct it, or write annotations in its place").into()
}

fn not_read(annotation: &Annotation<'_>, all: &[Directive], unread: Vec<Unread<'_>>) -> Vec<Fault> {
    let guards = all.iter().any(directive::may_guard);
    let fault = |unread: &Unread<'_>| {
        let what = format!("{}: {} {}", annotation.name, shown(unread.directive), unread.why);
        if guards {
            let message = format!(
                "{what}, so nothing of the snippet holds; it may guard access, so the whole Ingress is answered 503"
            );
            Fault::denied(message, unread.instead)
        } else {
            let message = format!("{what}, so nothing of the snippet holds");
            Fault::warning(reasons::UNSUPPORTED_ANNOTATION, message, unread.instead)
        }
    };
    unread.iter().take(TOLD_MAX).map(fault).collect()
}

fn without_effect(annotation: &Annotation<'_>, directive: &str) -> Fault {
    let message = format!(
        "{}: {directive} has no effect, with ingress-nginx neither: what it writes for each path counts more",
        annotation.name
    );
    let instead = directive::instead_of(directive);
    Fault::warning(reasons::NO_EFFECT, message, instead)
}

#[cfg(test)]
mod tests;
