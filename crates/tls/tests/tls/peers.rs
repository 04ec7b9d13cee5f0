//! A client and a server that talk in memory.

use std::sync::Arc;

use model::{HostMatch, Published};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, Error, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
};
use rustls::{SignatureScheme, SupportedProtocolVersion};
use tls::{Certificate, Certificates, Entry};

/// Certificates by the host that each is for; an empty host is the default.
pub(crate) fn published(entries: Vec<(&str, Vec<Arc<Certificate>>)>) -> Published<Certificates> {
    let published = Published::new(Certificates::default());
    publish(&published, entries);
    published
}

pub(crate) fn publish(published: &Published<Certificates>, entries: Vec<(&str, Vec<Arc<Certificate>>)>) {
    published.publish(Certificates::new(entries.into_iter().map(|(host, certificates)| {
        let hosts = vec![HostMatch::parse(host).expect("a host")];
        (Entry::new(host, certificates).expect("an entry"), hosts)
    })));
}

/// A client that trusts this root. It remembers sessions from one handshake to the next.
pub(crate) fn client(
    root: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    client_that_verifies(root, version, |_| true)
}

/// A client that verifies only some signatures.
pub(crate) fn client_that_verifies(
    root: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
    verifies: impl Fn(SignatureScheme) -> bool,
) -> ClientConfig {
    let mut provider = default_provider();
    let algorithms = &mut provider.signature_verification_algorithms;
    let mapping = algorithms.mapping.iter().filter(|(scheme, _)| verifies(*scheme)).copied();
    algorithms.mapping = Vec::leak(mapping.collect());
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a root");
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// What came of a handshake, on the client's side.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) kind: HandshakeKind,
    pub(crate) protocol: Option<Vec<u8>>,
    /// The certificate that the server showed, in this handshake or the one that is resumed.
    pub(crate) shown: CertificateDer<'static>,
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

/// Shakes hands; a failure is as the client saw it.
pub(crate) fn meet(client: &ClientConfig, server: &Arc<ServerConfig>, name: &str) -> Result<Met, Error> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = ClientConnection::new(Arc::new(client.clone()), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        pass(&mut client, &mut server)?;
    }
    // The tickets of TLS 1.3 come after the handshake.
    pass(&mut client, &mut server)?;
    let (kind, protocol) = (client.handshake_kind().expect("it is over"), client.alpn_protocol());
    let shown = client.peer_certificates().expect("certificates")[0].clone().into_owned();
    Ok(Met { kind, protocol: protocol.map(<[u8]>::to_vec), shown, client, server })
}

/// Hands over what each has to say; the server's error is told by its alert.
pub(crate) fn pass(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), Error> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).expect("memory");
    }
    let mut from = &bytes[..];
    while !from.is_empty() {
        server.read_tls(&mut from).expect("memory");
    }
    let refused = server.process_new_packets().err();
    let mut bytes = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut bytes).expect("memory");
    }
    let mut from = &bytes[..];
    while !from.is_empty() {
        client.read_tls(&mut from).expect("memory");
        client.process_new_packets()?;
    }
    refused.map_or(Ok(()), Err)
}
