//! Handshakes with endpoints.

use std::sync::Arc;

use model::UpstreamTls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::Credentials;

/// Sessions kept for the endpoints of one name: as many as rustls keeps tickets for one server.
const SESSIONS_MAX: usize = 8;

/// TLS 1.2 and 1.3 with these protocols in ALPN and the settings `how`; `None` if those need something that the credentials
/// do not have.
///
/// Where endpoints are not to be verified any certificate will do: those of pods are self-signed, for names that are never
/// asked for. TLS then protects against eavesdroppers only, not against impersonation, as in ingress-nginx by default. An
/// endpoint that is verified needs the name as a subjectAltName (RFC 9525 §6.3).
pub fn client_config(
    protocols: &[&[u8]],
    how: &UpstreamTls,
    credentials: Option<&Credentials>,
) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(default_provider());
    let verifier = match credentials.and_then(Credentials::ca_bundle) {
        Some(roots) if how.verify => verifier(roots, &provider)?,
        _ if how.verify => return None,
        _ => Arc::new(AnyCertificate(provider.signature_verification_algorithms)),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has cipher suites for both versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match credentials.and_then(Credentials::certificate) {
        Some(own) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(own.key()))))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config.enable_sni = how.send_name;
    if how.name.is_some() {
        // Sessions are kept by name, and there is only one.
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    }
    Some(Arc::new(config))
}

fn verifier(
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<dyn ServerCertVerifier>> {
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider));
    Some(builder.build().ok()?)
}

/// Accepts any certificate; the endpoint must have its key.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
