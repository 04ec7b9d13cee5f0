//! Handshakes with clients: which protocols and which certificate.

use std::fmt;
use std::sync::Arc;

use model::Published;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig};

use crate::tickets::Bound;
use crate::{Certificates, Tickets};

/// HTTP/2 in ALPN (RFC 9113 §3.2).
pub const HTTP_2: &[u8] = b"h2";
/// HTTP/1.1 in ALPN (RFC 7301).
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// Tickets after a full handshake with TLS 1.3, where each is used once: a client that comes back with HTTP/1.1 opens more
/// than one connection at a time. One more costs some 250 bytes.
const TICKETS_PER_HANDSHAKE: usize = 2;

/// The preferred cipher suites. All of rustls' are safe; these cost the least CPU time for each byte, on a server and on any
/// client of the last ten years.
const FIRST: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// TLS 1.2 and 1.3 with the certificates that are live at the moment of the handshake, and these protocols in ALPN, the
/// preferred one first. A client that offers ALPN without any of them is refused; one without ALPN is not.
///
/// Where no certificate is found the handshake fails, unless [`Certificates`] have a default. A self-signed stand-in does not help
/// clients that verify, and teaches users not to: it is shown only where that is what they are used to.
pub fn server_config(
    certificates: &Published<Certificates>,
    tickets: &Tickets,
    protocols: &[&[u8]],
) -> Arc<ServerConfig> {
    let resolver = Resolver(certificates.clone());
    let mut provider = default_provider();
    provider.cipher_suites.sort_by_key(|suite| !FIRST.contains(&suite.suite()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has cipher suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    // Our order, as auditors ask for: a client's may begin with the most expensive suite.
    config.ignore_client_order = true;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // Tickets do the same for all replicas and for the next process, without memory and without a lock.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Arc::new(Bound::to_nothing(tickets));
    config.send_tls13_tickets = TICKETS_PER_HANDSHAKE;
    // No early data: an eavesdropper could replay it (RFC 8446 §8).
    config.max_early_data_size = 0;
    Arc::new(config)
}

/// Finds the certificate for each handshake among the live ones.
struct Resolver(Published<Certificates>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificates = self.0.load();
        certificates.find(hello.server_name())?.choose(hello.signature_schemes()).cloned()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
