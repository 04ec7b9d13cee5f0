//! Readers of what is said of endpoints: what is spoken, and how TLS goes.

use std::net::IpAddr;
use std::sync::Arc;

use model::{HostName, Protocol, ProxyHeader};

use super::{Annotation, no_effect, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::tls::NamedSecret;
use crate::{ObjectKey, reasons};

/// Longest name of an object, in bytes.
const OBJECT_NAME_BYTES_MAX: usize = 253;

/// What is spoken with endpoints, without regard to case, as ingress-nginx reads it.
pub(super) fn protocol(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    if value.trim().eq_ignore_ascii_case("fcgi") {
        let message = format!("{name}: FastCGI is not spoken, so the whole Ingress is answered 503");
        return Err(Fault::denied(message, "let a server of HTTP stand before the program").into());
    }
    settings.protocol_of_client = value.trim().eq_ignore_ascii_case("auto_http");
    if settings.protocol_of_client {
        settings.protocol = Some(Protocol::Http);
        return Ok(());
    }
    let known = Protocol::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(value.trim()));
    let protocol = known.ok_or_else(|| {
        let message = format!("{name} cannot be {}; what the Service says applies, else http", shown(value));
        invalid(message, "write http, https, grpc or grpcs")
    })?;
    settings.protocol = Some(protocol);
    Ok(())
}

/// The version of HTTP that is spoken with endpoints of HTTP/1. The older one would cost a connection a request, and nothing
/// is lost by the newer one: what an endpoint of HTTP/1.0 answers is understood.
pub(super) fn http_version(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let name = annotation.name;
    match annotation.value.trim() {
        "1.1" => Ok(()),
        "1.0" => {
            let message =
                format!("{name} is 1.0; endpoints get HTTP/1.1 all the same, and may answer as HTTP/1.0");
            Err(Fault::warning(reasons::NO_EFFECT, message, "write 1.1, or remove it").into())
        }
        _ => Err(no_effect(annotation, "write 1.1")),
    }
}

/// The version of the PROXY header that endpoints get.
pub(super) fn proxy_header(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let known = ProxyHeader::ALL.into_iter().find(|known| known.as_str() == *value);
    let header = known.ok_or_else(|| {
        let message = format!("{name} cannot be {}; endpoints get no PROXY header", shown(value));
        invalid(message, "write v1 or v2")
    })?;
    settings.proxy_header = Some(header);
    Ok(())
}

/// The Secret for handshakes with endpoints, as `NAMESPACE/NAME` or by its name alone: the CA bundle that they are verified
/// by (`ca.crt`), the client certificate that they are shown (`tls.crt`, `tls.key`), or both.
pub(super) fn tls_secret(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let secret = named_secret(annotation).map_err(|why| {
        let message = format!("{why}; the whole Ingress is answered 503");
        Fault::denied(message, "name a Secret in the Ingress' own namespace")
    })?;
    settings.tls_secret = Some(secret);
    Ok(())
}

/// The Secret that an annotation names, as `NAMESPACE/NAME` or by its name alone.
///
/// # Errors
/// Says why there is none that may be used.
pub(super) fn named_secret(annotation: &Annotation<'_>) -> Result<NamedSecret, String> {
    let Annotation { name, value, namespace: own } = annotation;
    let (namespace, secret) = value.split_once('/').unwrap_or((own, value));
    let is_name = [namespace, secret].into_iter().all(is_object_name);
    if is_name && namespace == *own {
        let secret = ObjectKey::new(namespace, secret);
        return Ok(NamedSecret { secret, field: annotation.field() });
    }
    Err(if is_name {
        format!("{name} names Secret {value}, which is in another namespace")
    } else {
        format!("{name} cannot be {}", shown(value))
    })
}

/// Whether endpoints are verified: `on` or `off`.
pub(super) fn tls_verify(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.tls_verify = match annotation.value {
        "on" => Some(annotation.field()),
        "off" => None,
        value => {
            let message =
                format!("{} cannot be {}; the whole Ingress is answered 503", annotation.name, shown(value));
            return Err(Fault::denied(message, "write on or off").into());
        }
    };
    Ok(())
}

/// The name that endpoints' certificates are for.
pub(super) fn tls_name(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let address = value.parse::<IpAddr>().ok().map(|address| address.to_string());
    let host = || HostName::parse(value).ok().map(|host| host.as_str().to_owned());
    let parsed = address.or_else(host).map(Arc::from);
    let fault = parsed.is_none().then(|| {
        let message = format!("{name} cannot be {}, which is no DNS name; it has no effect", shown(value));
        invalid(message, "write the DNS name in the certificate").into()
    });
    settings.tls_name = Some(parsed);
    fault.map_or(Ok(()), Err)
}

/// The same, which endpoints are told, too (SNI).
pub(super) fn tls_name_to_send(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    tls_name(annotation, settings)?;
    settings.send_tls_name = true;
    Ok(())
}

/// Whether endpoints are told the name (SNI): `on`, or anything else.
pub(super) fn send_tls_name(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.send_tls_name = annotation.value == "on";
    Ok(())
}

/// Whether an object may have this name (RFC 1123 §2.1, as the API server reads it). It is told as it is, in lines of a log.
pub(super) fn is_object_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=OBJECT_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

fn invalid(message: String, remedy: impl Into<String>) -> Fault {
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_of_a_secret_denies_and_is_told_in_one_short_line() {
        for value in [&"\n".repeat(1000), "", "shop/", "/ca", "a/b/c", "other/c\na", "Ca", &"a".repeat(254)] {
            let mut settings = RouteSettings::default();
            let annotation = Annotation { name: "x/secret", value, namespace: "shop" };
            let faults = tls_secret(&annotation, &mut settings).expect_err(value);
            for fault in faults {
                assert!(fault.denies() && !fault.message.contains('\n'), "{}", fault.message);
                assert!(fault.message.len() < 300, "{}", fault.message);
            }
        }
    }
}
