//! The authority that the clients believe, and the certificate that the proxy has to present at present.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::request::HOST;

/// A certificate with its key.
pub(crate) struct Certificate {
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) der: CertificateDer<'static>,
}

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Result<Authority> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.der().clone();
        Ok(Authority { issuer: Issuer::new(params, key), root })
    }

    /// Another certificate for the host.
    pub(crate) fn issue(&self) -> Result<Certificate> {
        let key = KeyPair::generate()?;
        let signed = CertificateParams::new([HOST.to_owned()])?.signed_by(&key, &self.issuer)?;
        Ok(Certificate { chain: signed.pem(), key: key.serialize_pem(), der: signed.der().clone() })
    }

    /// What clients need that believe this authority alone and speak these protocols. Each connection is a full handshake:
    /// a resumed session would not show the certificate.
    pub(crate) fn client(&self, protocols: &[&str]) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }
}
