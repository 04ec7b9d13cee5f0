//! Readers of what is said of clients' certificates (TLS).

use model::{ClientVerify, Pattern};

use super::backend::named_secret;
use super::{Annotation, boolean, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Longest address of a page, in bytes.
const PAGE_BYTES_MAX: usize = 2048;

/// The Secret with the CA bundle that clients are verified by (`ca.crt`) and, if there is one, the list of revoked certificates
/// (`ca.crl`), as `NAMESPACE/NAME` or by its name alone. By it they are asked for certificates at all.
pub(super) fn secret(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.client_tls.is_asked = true;
    settings.client_tls.secret = None;
    settings.client_tls.secret = Some(named_secret(annotation).map_err(|why| not_had(&why))?);
    Ok(())
}

/// The same, only as `NAMESPACE/NAME`, as ingress-nginx has it.
pub(super) fn qualified_secret(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    if annotation.value.contains('/') {
        return secret(annotation, settings);
    }
    settings.client_tls.is_asked = true;
    Err(not_had(&format!("{} cannot be {}", annotation.name, shown(annotation.value))).into())
}

fn not_had(why: &str) -> Fault {
    let message = format!("{why}; every request for the hosts of the Ingress is answered 403");
    let remedy = "name a Secret in the Ingress' own namespace, as NAMESPACE/NAME";
    Fault::error(reasons::NO_CLIENT_CA, message, remedy)
}

/// Whether clients have to show a certificate.
pub(super) fn verify(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.client_tls.field = Some(annotation.field());
    settings.client_tls.verify = ClientVerify::parse(annotation.value).ok_or_else(|| {
        let words = ClientVerify::ALL.map(ClientVerify::as_str).join(", ");
        invalid(annotation, "on applies", &format!("write one of {words}"))
    })?;
    Ok(())
}

/// How many certificates may stand between a client's and the root.
pub(super) fn depth(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.client_tls.field = Some(annotation.field());
    match annotation.value.parse::<u64>() {
        // As ingress-nginx reads it.
        Ok(0) => settings.client_tls.depth = None,
        Ok(depth) => settings.client_tls.depth = Some(u8::try_from(depth).unwrap_or(u8::MAX)),
        Err(_) => return Err(invalid(annotation, "1 applies", "write a number of certificates").into()),
    }
    Ok(())
}

/// What the certificate's subject has to match, which is written as `CN=web,O=Shop`: a regular expression that begins with `CN=`.
pub(super) fn subject(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.client_tls.field = Some(annotation.field());
    settings.client_tls.is_closed = true;
    let refused = |why: String| {
        let message = format!("{} {why}; the whole Ingress is answered 503", annotation.name);
        Fault::denied(message, "write CN= and a name, or a regular expression")
    };
    if !annotation.value.starts_with("CN=") {
        return Err(refused(format!("cannot be {}", shown(annotation.value))).into());
    }
    let pattern =
        Pattern::of_value(annotation.value).map_err(|error| refused(format!("cannot be read: {error}")))?;
    settings.client_tls.subject = Some(pattern);
    settings.client_tls.is_closed = false;
    Ok(())
}

/// Whether endpoints get the certificate itself.
pub(super) fn pass(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.client_tls.field = Some(annotation.field());
    settings.client_tls.pass = boolean(annotation)?;
    Ok(())
}

/// Where clients are sent that have no good certificate.
pub(super) fn error_page(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.client_tls.field = Some(annotation.field());
    let page = annotation.value;
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:".contains(&b);
    if page.is_empty() || page.len() > PAGE_BYTES_MAX || !page.bytes().all(is_allowed) {
        return Err(invalid(annotation, "it has no effect", "write a URL that begins with https://").into());
    }
    if page.starts_with('/') {
        let message = format!("{} is a path, which is not honoured: the answer is 400", annotation.name);
        let remedy = "write the whole URL of a page that asks for no certificate";
        return Err(Fault::warning(reasons::UNSUPPORTED_ANNOTATION, message, remedy).into());
    }
    settings.client_tls.error_page = Some(page.into());
    Ok(())
}

fn invalid(annotation: &Annotation<'_>, what_holds: &str, remedy: &str) -> Fault {
    let message = format!("{} cannot be {}; {what_holds}", annotation.name, shown(annotation.value));
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy)
}
