//! TLS 1.3, as the clients speak it: one cipher suite and one key exchange, so that all proxies do the same arithmetic.

use std::sync::Arc;

use anyhow::{Result, ensure};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, cipher_suite::TLS13_AES_128_GCM_SHA256, kx_group::X25519};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

use crate::message::HOST;
use crate::wire::Wire;

/// Names of sessions that a client keeps: there is one.
const SESSIONS: usize = 4;

/// The certificate of all proxies (ECDSA P-256), and who believes it.
pub(crate) struct Trust {
    pub(crate) chain: String,
    pub(crate) key: String,
    root: CertificateDer<'static>,
}

/// What handshakes there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Full ones.
    New,
    /// The first on each place is full, all others resume.
    Resumed,
}

impl Trust {
    /// A certificate that signs itself.
    pub(crate) fn new() -> Result<Trust> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOST.to_owned()])?.self_signed(&key)?;
        Ok(Trust { chain: certificate.pem(), key: key.serialize_pem(), root: certificate.der().clone() })
    }

    fn config(&self, sessions: Sessions, protocol: &[u8]) -> Result<ClientConfig> {
        let provider = rustls::crypto::CryptoProvider {
            cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
            kx_groups: vec![X25519],
            ..aws_lc_rs::default_provider()
        };
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone())?;
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        config.resumption = match sessions {
            Sessions::New => Resumption::disabled(),
            Sessions::Resumed => Resumption::in_memory_sessions(SESSIONS),
        };
        Ok(config)
    }
}

/// What the connections that follow one another in one place have in common.
pub(super) struct Place {
    config: Arc<ClientConfig>,
    sessions: Sessions,
    protocol: &'static [u8],
    /// Connections so far that have ended.
    ended: u64,
}

impl Place {
    pub(super) fn new(trust: &Trust, sessions: Sessions, protocol: &'static [u8]) -> Result<Place> {
        Ok(Place { config: Arc::new(trust.config(sessions, protocol)?), sessions, protocol, ended: 0 })
    }

    /// The session of the next connection.
    pub(super) fn session(&self) -> Result<Box<ClientConnection>> {
        let name = ServerName::try_from(HOST)?;
        Ok(Box::new(ClientConnection::new(Arc::clone(&self.config), name)?))
    }

    /// Whether a connection that has ended was what it was to be.
    pub(super) fn check(&mut self, wire: &Wire) -> Result<()> {
        let Some(tls) = &wire.tls else { return Ok(()) };
        let expected = match self.sessions {
            Sessions::Resumed if self.ended > 0 => HandshakeKind::Resumed,
            _ => HandshakeKind::Full,
        };
        self.ended += 1;
        let (kind, protocol) = (tls.handshake_kind(), tls.alpn_protocol());
        ensure!(
            kind == Some(expected),
            "handshake {} is {kind:?} where it was to be {expected:?}",
            self.ended
        );
        ensure!(protocol == Some(self.protocol), "the proxy has chosen {protocol:?}");
        Ok(())
    }
}
