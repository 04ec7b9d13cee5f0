//! Handshakes in which clients are asked for a certificate.
//!
//! None fails for what a client shows, or does not: it is answered in HTTP, where it can be told why, and where what
//! its certificate comes to is judged again when the CA bundle has changed. Here it is only made sure that the client
//! has the key of the certificate that it shows.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, ServerConfig,
    SignatureScheme,
};
use webpki::RawPublicKeyEntity;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::ClientCa;
use crate::client_ca::DIGEST_BYTES;
use crate::tickets::{Bound, Tickets};

/// The same handshake, in which clients are asked for a certificate of this CA bundle; of any, where that is not known.
///
/// A session resumes only where the same was demanded of the client.
pub fn asking(config: &ServerConfig, tickets: &Tickets, ca: Option<&Arc<ClientCa>>) -> Arc<ServerConfig> {
    let provider = Arc::clone(config.crypto_provider());
    let verifier =
        AnyCertificate { algorithms: provider.signature_verification_algorithms, ca: ca.map(Arc::clone) };
    let mut asking = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has cipher suites for both versions")
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    asking.ignore_client_order = config.ignore_client_order;
    asking.alpn_protocols.clone_from(&config.alpn_protocols);
    asking.session_storage = Arc::clone(&config.session_storage);
    asking.send_tls13_tickets = config.send_tls13_tickets;
    asking.max_early_data_size = config.max_early_data_size;
    let demanded = ca.map_or([0; DIGEST_BYTES], |ca| *ca.digest());
    asking.ticketer = Arc::new(Bound::to(demanded, tickets));
    Arc::new(asking)
}

/// Accepts any certificate; the client must have its key.
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
    ca: Option<Arc<ClientCa>>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.ca.as_ref().map_or(&[], |ca| ca.names())
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key_of(certificate)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let mapped = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, algorithms) = mapped.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        // In TLS 1.2 a scheme does not say the curve.
        let is_by = |algorithm: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
            key.verify_signature(*algorithm, message, signed.signature()).is_ok()
        };
        match algorithms.iter().any(is_by) {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(message, &key_of(certificate)?, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for AnyCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyCertificate").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// Of a certificate of any version. rustls' own way takes those of version 3 alone.
fn key_of(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    match X509Certificate::from_der(certificate) {
        Ok((_, parsed)) => Ok(SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec())),
        Err(_) => Err(CertificateError::BadEncoding.into()),
    }
}
