//! Readers of snippets: pieces of nginx' configuration. Nothing of one is executed or passed on as text. It is read into the
//! settings that annotations have, if that is possible for **all** that it says; else nothing of it holds, and where it may guard
//! access the whole Ingress is refused.

mod directive;
mod meaning;
mod syntax;

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

/// What is to hold for the paths of an Ingress.
pub(super) fn location(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    read(annotation, Place::Location, settings)
}

/// What is to hold for its hosts; here that is for its own paths of them.
pub(super) fn server(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    read(annotation, Place::Server, settings)
}

fn read(annotation: &Annotation<'_>, place: Place, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    // As ingress-nginx takes a value, quotation marks or not.
    let text: Vec<&str> = annotation.value.lines().map(str::trim).collect();
    let directives = syntax::parse(&text.join("\n")).map_err(|why| unreadable(annotation, &why))?;
    let meaning =
        Meaning::of(&directives, place).map_err(|unread| not_read(annotation, &directives, unread))?;
    let without_effect: Vec<Fault> =
        meaning.without_effect.iter().map(|name| without_effect(annotation, name)).collect();
    meaning.apply(place, settings);
    if without_effect.is_empty() { Ok(()) } else { Err(without_effect) }
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
