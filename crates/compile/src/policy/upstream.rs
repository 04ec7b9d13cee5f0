//! How endpoints are spoken to.

use model::{Protocol, Transport, UpstreamTls};

use super::RouteSettings;
use super::auth::{AuthUrl, UrlHost};
use crate::problems::Fault;
use crate::tls::NamedSecret;

/// The Secret for handshakes with endpoints.
pub(crate) struct UpstreamSecret {
    pub(crate) named: NamedSecret,
    /// Whether endpoints are verified by what it has.
    pub(crate) verify: bool,
}

/// Whether what was asked for can be had. Endpoints that are to be verified and cannot be are not spoken to: what is meant
/// for them should reach no others.
pub(super) fn check(asked: &RouteSettings) -> Result<(), (String, Fault)> {
    let Some(field) = &asked.tls_verify else { return Ok(()) };
    let (why, remedy) = if matches!(asked.tls_name, Some(None)) {
        ("as long as their name is not known", "correct the annotation with the name")
    } else if asked.tls_secret.is_none() {
        ("without a CA bundle (a Secret with ca.crt)", "name one with sluicegate.io/backend-tls-secret")
    } else {
        return Ok(());
    };
    let message = format!("endpoints cannot be verified {why}, so the whole Ingress is answered 503");
    Err((field.clone(), Fault::denied(message, remedy)))
}

/// The way that was asked for. If it [cannot be had](check) no endpoint is spoken to.
pub(super) fn transport(asked: &RouteSettings) -> Transport {
    let tls = UpstreamTls {
        secret: asked.tls_secret.as_ref().map(|named| named.secret.name.as_str().into()),
        verify: asked.tls_verify.is_some(),
        name: asked.tls_name.clone().flatten(),
        send_name: asked.send_tls_name,
    };
    Transport { protocol: asked.protocol, tls, proxy_header: asked.proxy_header }
}

/// The way to a server that is asked about requests: as with ingress-nginx it is told its name, and any certificate will do.
pub(super) fn of_url(url: &AuthUrl) -> Transport {
    let name = match &url.host {
        UrlHost::Name(name) if url.is_https => Some(name.as_str().into()),
        _ => None,
    };
    let protocol = Some(if url.is_https { Protocol::Https } else { Protocol::Http });
    let tls = UpstreamTls { send_name: name.is_some(), name, ..UpstreamTls::default() };
    Transport { protocol, tls, proxy_header: None }
}

/// The Secret that this needs.
pub(super) fn secret(asked: &RouteSettings) -> Option<UpstreamSecret> {
    let named = asked.tls_secret.clone()?;
    Some(UpstreamSecret { named, verify: asked.tls_verify.is_some() })
}
