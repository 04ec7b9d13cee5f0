//! Readers of what is said of paths: what they are, what endpoints get in their place, and where clients are sent from the root;
//! and of other names of a host.

use model::{HostMatch, PathTemplate};

use super::{Annotation, boolean, no_effect, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Most other names of an Ingress' hosts.
const ALIASES_MAX: usize = 100;

/// Whether paths are regular expressions.
pub(super) fn use_regex(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.rewrite.use_regex = boolean(annotation)?;
    Ok(())
}

/// The path that endpoints get, with what the one that came has captured; or a URL that clients are sent to.
pub(super) fn target(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    if annotation.value.is_empty() {
        return Ok(());
    }
    let target = template(annotation, annotation.value, false)?;
    let begins_oddly = !annotation.value.starts_with('/') && !target.is_url();
    settings.rewrite.path = Some(target);
    if begins_oddly {
        let message = format!("{} does not begin with a slash; one is put before it", annotation.name);
        return Err(Fault::warning(reasons::INVALID_ANNOTATION, message, "write the slash").into());
    }
    Ok(())
}

/// What endpoints are told that the path before theirs was.
pub(super) fn prefix(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let value = annotation.value.trim();
    if !value.is_empty() {
        settings.rewrite.prefix = Some(template(annotation, value, true)?);
    }
    Ok(())
}

/// A text as ingress-nginx allows it (`^/?[-._~a-zA-Z0-9/:$]*$`, and spaces in a field), so that nothing in it ends a line or a
/// field.
fn template(annotation: &Annotation<'_>, value: &str, is_field: bool) -> Result<PathTemplate, Vec<Fault>> {
    let fault = |why: String| {
        let message = format!("{} cannot be {}: {why}; it has no effect", annotation.name, shown(value));
        let remedy =
            "write letters, digits and -._~/: with $1 to $9 for what the groups of the path have matched";
        Fault::error(reasons::INVALID_ANNOTATION, message, remedy)
    };
    let may_be = |char: char| is_of_path(char) || char == '$' || (is_field && char == ' ');
    if let Some(odd) = value.chars().find(|char| !may_be(*char)) {
        return Err(fault(format!("{odd:?} may not be in it")).into());
    }
    PathTemplate::parse(value).map_err(|wrong| fault(format!("{wrong} stands for nothing")).into())
}

fn is_of_path(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~/:".contains(char)
}

/// The path that clients are sent to which ask for the root.
pub(super) fn app_root(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let value = annotation.value;
    if !value.starts_with('/') || !value.chars().all(is_of_path) {
        return Err(no_effect(
            annotation,
            "write a path, which begins with a slash, of letters, digits and -._~/:",
        ));
    }
    settings.app_root = Some(value.into());
    Ok(())
}

/// Names under which the Ingress' hosts are served, too.
pub(super) fn aliases(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let written = annotation.value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut faults = Vec::new();
    for (place, name) in written.enumerate() {
        let (why, remedy) = match HostMatch::parse(name) {
            _ if place >= ALIASES_MAX => {
                let message = format!("{} has more than {ALIASES_MAX} names", annotation.name);
                let remedy = "write rules, or a wildcard host, for the others";
                faults.push(Fault::error(reasons::INVALID_ANNOTATION, message, remedy));
                break;
            }
            Ok(host) => {
                settings.aliases.push(host);
                continue;
            }
            Err(_) if name.starts_with('~') => (
                "names that are regular expressions are not honoured".into(),
                "write the names, or a wildcard",
            ),
            Err(error) => (error.to_string(), "write DNS names, separated by commas"),
        };
        let message = format!("{}: {} is no alias: {why}", annotation.name, shown(name));
        faults.push(Fault::error(reasons::INVALID_ANNOTATION, message, remedy));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
