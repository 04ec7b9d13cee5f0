//! Readers of what is said of answers that send a client elsewhere.

mod location;

use model::Location;

use super::{Annotation, boolean, no_effect, shown};
use crate::policy::{RedirectSettings, RouteSettings};
use crate::problems::Fault;

/// Most places in a list of those that keep plain HTTP.
const KEEP_HTTP_MAX: usize = 100;

/// Whether clients are sent to https where there is a certificate.
pub(super) fn https(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.https = boolean(annotation)?;
    Ok(())
}

/// Whether clients are sent to https in any case: it may be the load balancer which has the certificate.
pub(super) fn force_https(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.redirect.force_https = boolean(annotation)?;
    Ok(())
}

/// Whether the target keeps the slash that it ends with.
pub(super) fn preserve_trailing_slash(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.redirect.drop_trailing_slash = !boolean(annotation)?;
    Ok(())
}

/// Whether places on the same host are named with its port.
pub(super) fn name_port(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.name_port = boolean(annotation)?;
    Ok(())
}

/// The status on the way to https, and between names with and without `www.`.
pub(super) fn status(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let status = annotation.value.parse().ok().filter(|status| matches!(status, 301 | 302 | 307 | 308));
    settings.redirect.status = status.ok_or_else(|| no_effect(annotation, "write 301, 302, 307 or 308"))?;
    Ok(())
}

/// What the paths of routes begin with whose clients are not sent to https.
pub(super) fn keep_http(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let listed = annotation.value.split(',').map(str::trim).filter(|path| !path.is_empty());
    if listed.clone().count() > KEEP_HTTP_MAX {
        return Err(no_effect(annotation, format!("write at most {KEEP_HTTP_MAX} paths")));
    }
    settings.redirect.keep_http = listed.map(Into::into).collect();
    Ok(())
}

/// Where all clients are sent for now.
pub(super) fn temporal(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Some(to) = place(annotation, &mut settings.redirect)? else { return Ok(()) };
    if !annotation.value.trim_start().to_ascii_lowercase().starts_with("http") {
        settings.redirect.is_void = true;
        let remedy = "write a URL with http:// or https://; no redirect of this Ingress is served";
        return Err(no_effect(annotation, remedy));
    }
    settings.redirect.temporal = Some(to);
    Ok(())
}

/// The status for that.
pub(super) fn temporal_status(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let default = RedirectSettings::default().temporal_status;
    settings.redirect.temporal_status = status_up_to(307, default, annotation, &mut settings.redirect)?;
    Ok(())
}

/// Where all clients are sent for ever.
pub(super) fn permanent(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.permanent = place(annotation, &mut settings.redirect)?;
    Ok(())
}

/// The status for that.
pub(super) fn permanent_status(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let default = RedirectSettings::default().permanent_status;
    settings.redirect.permanent_status = status_up_to(308, default, annotation, &mut settings.redirect)?;
    Ok(())
}

/// Whether the host's other name, with or without `www.`, leads to it.
pub(super) fn www(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.www = strict_boolean(annotation, &mut settings.redirect)?;
    Ok(())
}

/// Whether places on the same host are named without that host.
pub(super) fn relative(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.redirect.relative = strict_boolean(annotation, &mut settings.redirect)?;
    Ok(())
}

/// The same for the whole controller, where a value that is none has no effect.
pub(super) fn relative_by_default(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.redirect.relative = boolean(annotation)?;
    Ok(())
}

/// A place as ingress-nginx takes it, and with variables, which it only takes if annotations are not validated.
fn place(
    annotation: &Annotation<'_>,
    settings: &mut RedirectSettings,
) -> Result<Option<Location>, Vec<Fault>> {
    let value = annotation.value.trim();
    if value.is_empty() {
        return Err(void(annotation, settings));
    }
    if !location::is_valid(annotation.value) {
        return Err(left_out(annotation, "write a URL of letters, digits and -._~/:,?&="));
    }
    match location::read(value) {
        Ok(place) => Ok(Some(place)),
        Err(variable) => {
            let message = format!(
                "{} has the variable {}, which is not known here, so the whole Ingress is answered 503",
                annotation.name,
                shown(variable)
            );
            let remedy = format!("write the URL without it; known are {}", location::known());
            Err(Fault::denied(message, remedy).into())
        }
    }
}

fn status_up_to(
    most: i64,
    default: u16,
    annotation: &Annotation<'_>,
    settings: &mut RedirectSettings,
) -> Result<u16, Vec<Fault>> {
    if annotation.value.is_empty() {
        return Err(void(annotation, settings));
    }
    let status: i64 = annotation
        .value
        .parse()
        .map_err(|_| left_out(annotation, &format!("write a number from 300 to {most}")))?;
    match u16::try_from(status) {
        Ok(known) if (300..=most).contains(&status) => Ok(known),
        _ => Err(no_effect(annotation, format!("write a number from 300 to {most}; it is {default} now"))),
    }
}

fn strict_boolean(annotation: &Annotation<'_>, settings: &mut RedirectSettings) -> Result<bool, Vec<Fault>> {
    if annotation.value.is_empty() {
        return Err(void(annotation, settings));
    }
    boolean(annotation).map_err(|_| left_out(annotation, "write \"true\" or \"false\""))
}

/// Without a value it takes the other redirects with it.
fn void(annotation: &Annotation<'_>, settings: &mut RedirectSettings) -> Vec<Fault> {
    settings.is_void = true;
    no_effect(annotation, "remove it, or write its value; no redirect of this Ingress is served")
}

fn left_out(Annotation { name, value, .. }: &Annotation<'_>, remedy: &str) -> Vec<Fault> {
    let message =
        format!("{name} cannot be {}; the whole Ingress is not served, as with ingress-nginx", shown(value));
    Fault::left_out(message, remedy).into()
}
