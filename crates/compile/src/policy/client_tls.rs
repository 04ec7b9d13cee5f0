//! Which certificates clients have to show.

use std::sync::Arc;

use model::{ClientTls, ClientVerify, Pattern, RequestFilter};

use super::RouteSettings;
use crate::hosts::HostFacts;
use crate::problems::Fault;
use crate::reasons;
use crate::tls::NamedSecret;

/// How many certificates may stand between a client's and the root where nothing is said: ingress-nginx' figure.
const DEPTH: u8 = 1;

/// What is asked of clients' certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientTlsSettings {
    /// Whether they are asked for any.
    pub(crate) is_asked: bool,
    /// The Secret with the CA bundle. Where none may be used, the whole host is closed: that is not the same as nothing.
    pub(crate) secret: Option<NamedSecret>,
    /// Whether the host is closed because of something else that was asked and cannot be had.
    pub(crate) is_closed: bool,
    /// Whether they have to show one.
    pub(crate) verify: ClientVerify,
    /// How many others may stand between it and the root.
    pub(crate) depth: Option<u8>,
    /// What its subject has to match.
    pub(crate) subject: Option<Pattern>,
    /// Whether endpoints get it.
    pub(crate) pass: bool,
    /// Where clients are sent that have none.
    pub(crate) error_page: Option<Arc<str>>,
    /// A field that says something of all this, beside the Secret.
    pub(crate) field: Option<String>,
}

/// What an object demands of the clients of its hosts, if anything.
pub(crate) fn client_tls(asked: &RouteSettings) -> Option<ClientTls> {
    let ClientTlsSettings { is_asked, secret, is_closed, verify, depth, subject, pass, error_page, .. } =
        &asked.client_tls;
    is_asked.then(|| ClientTls {
        ca: secret.as_ref().filter(|_| !is_closed).map(|named| named.secret.to_string().into()),
        verify: *verify,
        depth: depth.unwrap_or(DEPTH),
        subject: subject.clone(),
        pass: *pass,
        error_page: error_page.clone(),
    })
}

/// Whether what was asked for can be had: nothing is without a Secret, as with ingress-nginx.
pub(super) fn check(asked: &RouteSettings) -> Result<(), (String, Fault)> {
    match (asked.client_tls.is_asked, &asked.client_tls.field) {
        (false, Some(field)) => {
            let message = "no client is asked for a certificate, since no Secret with a CA bundle is named";
            let remedy = "name one with auth-tls-secret (sluicegate.io/client-tls-secret), or remove it";
            Err((field.clone(), Fault::warning(reasons::NO_EFFECT, message, remedy)))
        }
        _ => Ok(()),
    }
}

/// The filters for what the host demands, whichever object asked for it.
pub(super) fn build(host: HostFacts<'_>) -> impl Iterator<Item = RequestFilter> {
    let demanded = host.client_tls;
    let is_required = demanded.is_some_and(|demanded| demanded.verify == ClientVerify::Required);
    let demanded = demanded.map(|demanded| RequestFilter::ClientTls(Arc::clone(demanded)));
    demanded.into_iter().chain(is_required.then_some(RequestFilter::TlsOnly))
}
