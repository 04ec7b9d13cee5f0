//! How the endpoints of a backend are spoken to, where the Ingress and the Service have a word in it.

use std::sync::Arc;

use model::{Backend, BackendKey, Protocol, Transport, UpstreamTls};

use crate::problems::Fault;
use crate::reasons;

/// What `appProtocol` says is spoken at a port (KEP-1422, KEP-3726); other words are for others.
pub(super) fn protocol_of(written: &str) -> Option<Protocol> {
    match written {
        "http" | "kubernetes.io/ws" => Some(Protocol::Http),
        "https" | "kubernetes.io/wss" => Some(Protocol::Https),
        "grpc" | "kubernetes.io/h2c" => Some(Protocol::Grpc),
        _ => None,
    }
}

/// The key with the name that endpoints are verified by or told, where it is to be known and the Ingress says none: the
/// one that the Service stands for, else that by which pods find the Service.
pub(super) fn named(key: BackendKey, external_name: Option<String>) -> BackendKey {
    let tls = &key.transport.tls;
    if tls.name.is_some() || !(tls.verify || tls.send_name) {
        return key;
    }
    let name = external_name.unwrap_or_else(|| format!("{}.{}.svc", key.service, key.namespace));
    let mut transport = Transport::clone(&key.transport);
    transport.tls.name = Some(name.into());
    BackendKey { transport: Arc::new(transport), ..key }
}

/// What is wrong with speaking to the backend's endpoints in the way that is asked for. With an error they are not.
pub(super) fn fault(backend: &Backend) -> Option<Fault> {
    let (transport, spoken) = (&backend.key.transport, backend.protocol.as_str());
    if transport.proxy_header.is_some() && backend.protocol.is_http2() {
        let message = format!(
            "a PROXY header is about one client, and connections that speak {spoken} serve many; requests for this \
             backend are answered 503"
        );
        let remedy = "speak http or https with its endpoints, or remove sluicegate.io/backend-proxy-protocol";
        return Some(Fault::error(reasons::INVALID_ANNOTATION, message, remedy));
    }
    if transport.tls.verify && !backend.protocol.is_tls() {
        let message = format!(
            "endpoints are to be verified, and {spoken} is spoken without TLS; requests for this backend are \
             answered 503"
        );
        let remedy = "let sluicegate.io/backend-protocol be https or grpcs, or do not ask for verification";
        return Some(Fault::error(reasons::INVALID_ANNOTATION, message, remedy));
    }
    (transport.tls != UpstreamTls::default() && !backend.protocol.is_tls()).then(|| {
        let message =
            format!("what the Ingress says of TLS with endpoints has no effect: {spoken} is spoken");
        let remedy = "let sluicegate.io/backend-protocol be https or grpcs, or remove the annotations";
        Fault::warning(reasons::NO_EFFECT, message, remedy)
    })
}
