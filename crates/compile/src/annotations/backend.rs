//! Readers of what is said of endpoints: how requests are shared among them, what is spoken, and how TLS goes.

use std::net::IpAddr;
use std::sync::Arc;

use model::{Balance, HostName, Protocol, ProxyHeader};

use super::Annotation;
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::tls::NamedSecret;
use crate::{ObjectKey, reasons};

/// How endpoints share requests.
pub(super) fn balance(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let known = Balance::parse(value);
    settings.balance = known.ok_or_else(|| {
        let applies = settings.balance.as_str();
        let words = Balance::ALL.map(Balance::as_str).join(" or ");
        invalid(format!("{name} cannot be {value:?}; {applies} applies"), format!("write {words}"))
    })?;
    Ok(())
}

/// What is spoken with endpoints, without regard to case, as ingress-nginx reads it.
pub(super) fn protocol(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let known = Protocol::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(value.trim()));
    let protocol = known.ok_or_else(|| {
        let message = format!("{name} cannot be {value:?}; what the Service says applies, else http");
        invalid(message, "write http, https, grpc or grpcs")
    })?;
    settings.protocol = Some(protocol);
    Ok(())
}

/// The version of the PROXY header that endpoints get.
pub(super) fn proxy_header(
    Annotation { name, value, .. }: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let known = ProxyHeader::ALL.into_iter().find(|known| known.as_str() == *value);
    let header = known.ok_or_else(|| {
        invalid(format!("{name} cannot be {value:?}; endpoints get no PROXY header"), "write v1 or v2")
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
    let Annotation { name, value, namespace: own } = annotation;
    let (namespace, secret) = value.split_once('/').unwrap_or((own, value));
    let is_name = !secret.is_empty() && !secret.contains('/');
    if is_name && namespace == *own {
        let secret = ObjectKey::new(namespace, secret);
        settings.tls_secret = Some(NamedSecret { secret, field: annotation.field() });
        return Ok(());
    }
    let message = if is_name {
        format!(
            "{name} names Secret {value}, which is in another namespace; the whole Ingress is answered 503"
        )
    } else {
        format!("{name} cannot be {value:?}; the whole Ingress is answered 503")
    };
    Err(Fault::denied(message, "name a Secret in the Ingress' own namespace").into())
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
                format!("{} cannot be {value:?}; the whole Ingress is answered 503", annotation.name);
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
        let message = format!("{name} cannot be {value:?}, which is no DNS name; it has no effect");
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
    settings.send_tls_name = true;
    tls_name(annotation, settings)
}

/// Whether endpoints are told the name (SNI): `on`, or anything else.
pub(super) fn send_tls_name(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.send_tls_name = annotation.value == "on";
    Ok(())
}

fn invalid(message: String, remedy: impl Into<String>) -> Fault {
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy)
}
