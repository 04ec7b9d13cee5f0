//! Hosts whose clients have to show a certificate (TLS), and what endpoints are told of it.
//!
//! The handshake has asked for it and refused nothing (`tls::asking`). What it comes to is decided here, for each request, by the
//! CA bundle that is live: so a new bundle counts for connections and sessions of before, and which connection carries a
//! request does not matter.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{ClientTls, ClientVerify, Facts};
use tls::{ClientCa, Verdict};

use super::RequestFacts;
use crate::client::{Client, Secure, Shown};
use crate::error::Refusal;
use crate::respond::{Answer, NotSent};

const VERIFY: HeaderName = HeaderName::from_static("ssl-client-verify");
const SUBJECT: HeaderName = HeaderName::from_static("ssl-client-subject-dn");
const ISSUER: HeaderName = HeaderName::from_static("ssl-client-issuer-dn");
const CERTIFICATE: HeaderName = HeaderName::from_static("ssl-client-cert");

/// Whether the client may use the route.
pub(super) fn admit<B>(
    demanded: &ClientTls,
    client: &Client,
    facts: &RequestFacts<'_, B>,
) -> Result<(), NotSent> {
    let Some(secure) = client.secure.get() else { return admit_plain(demanded) };
    let ca = ca_of(demanded, secure).ok_or(Refusal::ClientCa)?;
    if demanded.verify.asks() {
        check_handshake(secure, facts)?;
        if let Err(why) = judge(demanded.verify, secure, &ca, demanded.depth) {
            return Err(instead(demanded, secure, &ca, why));
        }
    }
    check_subject(demanded, shown(secure))
}

/// Of a client that does not speak TLS with us. One that would have to is refused where it is not sent to https before
/// ([`RequestFilter::TlsOnly`](model::RequestFilter::TlsOnly)).
fn admit_plain(demanded: &ClientTls) -> Result<(), NotSent> {
    if demanded.ca.is_none() {
        return Err(Refusal::ClientCa.into());
    }
    check_subject(demanded, None)
}

/// Clients without TLS are refused.
pub(super) fn tls_only(client: &Client) -> Result<(), NotSent> {
    if client.secure.get().is_some() { Ok(()) } else { Err(Refusal::NoClientCertificate.into()) }
}

/// A client that says for which host it opens a connection is asked for what that host demands.
fn check_handshake<B>(secure: &Secure, facts: &RequestFacts<'_, B>) -> Result<(), Refusal> {
    match (&secure.name, facts.host()) {
        (Some(name), Some(host)) if **name != *host.name() => Err(Refusal::Misdirected),
        _ => Ok(()),
    }
}

/// Whether what the client has shown is enough.
fn judge(verify: ClientVerify, secure: &Secure, ca: &Arc<ClientCa>, depth: u8) -> Result<(), Refusal> {
    let Some(shown) = shown(secure) else {
        return if verify == ClientVerify::Required { Err(Refusal::NoClientCertificate) } else { Ok(()) };
    };
    match shown.judge(ca, depth) {
        Verdict::Good => Ok(()),
        Verdict::Unknown(_) if verify == ClientVerify::AnyIssuer => Ok(()),
        Verdict::Unknown(why) => {
            tracing::debug!("a client's certificate is not believed: {why}");
            Err(Refusal::ClientCertificate)
        }
        Verdict::Bad(why) => {
            tracing::debug!("a client's certificate is not believed: {why}");
            Err(Refusal::ClientCertificate)
        }
    }
}

/// The answer to a client that has not shown enough. One that was asked for something else than it would be now may have more
/// to show: it is told to open another connection (RFC 9110 §15.5.20).
fn instead(demanded: &ClientTls, secure: &Secure, ca: &Arc<ClientCa>, why: Refusal) -> NotSent {
    let by = secure.asked.as_ref().map(|asked| asked.by.as_ref().map(|by| by.digest()));
    if secure.name.is_some() && by != Some(Some(ca.digest())) {
        return Refusal::StaleHandshake.into();
    }
    let page = demanded.error_page.as_ref().and_then(|page| HeaderValue::from_str(page).ok());
    let Some(page) = page else { return why.into() };
    let headers = HeaderMap::from_iter([(header::LOCATION, page)]);
    NotSent::Answered(Box::new(Answer { status: StatusCode::FOUND, headers, text: Bytes::new() }))
}

fn check_subject(demanded: &ClientTls, shown: Option<&Shown>) -> Result<(), NotSent> {
    let Some(pattern) = &demanded.subject else { return Ok(()) };
    let subject = shown.and_then(Shown::names).map_or("", |names| &names.subject);
    if pattern.matches(subject) { Ok(()) } else { Err(Refusal::ClientSubject.into()) }
}

fn ca_of(demanded: &ClientTls, secure: &Secure) -> Option<Arc<ClientCa>> {
    secure.tls.client_cas.load().find(demanded.ca.as_deref()?).map(Arc::clone)
}

fn shown(secure: &Secure) -> Option<&Shown> {
    secure.asked.as_ref()?.shown.as_ref()
}

/// Tells the endpoint what the client has shown. What the client itself says in these fields was removed before, unless it is a
/// proxy that is trusted; here not even that counts.
pub(super) fn tell(demanded: &ClientTls, client: &Client, head: &mut HeaderMap) {
    for name in [VERIFY, SUBJECT, ISSUER, CERTIFICATE] {
        head.remove(name);
    }
    let Some(secure) = client.secure.get() else { return };
    let Some(shown) = shown(secure).filter(|_| demanded.verify.asks()) else {
        head.insert(VERIFY, HeaderValue::from_static("NONE"));
        return;
    };
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            head.insert(name, value);
        }
    };
    match ca_of(demanded, secure).map(|ca| shown.judge(&ca, demanded.depth)) {
        Some(Verdict::Good) => set(VERIFY, "SUCCESS"),
        Some(Verdict::Unknown(why)) => set(VERIFY, &format!("FAILED:{why}")),
        Some(Verdict::Bad(_)) | None => set(VERIFY, "FAILED:certificate verify error"),
    }
    if let Some(names) = shown.names() {
        set(SUBJECT, &names.subject);
        set(ISSUER, &names.issuer);
    }
    if demanded.pass {
        set(CERTIFICATE, shown.escaped());
    }
}
