//! Attacks on handshakes: a hello to be cut in two, and handshakes that are completed and thrown away.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio_rustls::TlsConnector;

use super::wire::Wire;
use crate::manifests::HOST;

/// What a client needs that believes this root alone. Each connection is a full handshake.
pub(crate) fn client(root: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// The name that the certificate is for.
pub(crate) fn name() -> ServerName<'static> {
    ServerName::try_from(HOST).expect("a name")
}

/// The first thing that a client says.
pub(super) fn hello(config: &Arc<ClientConfig>) -> Result<Vec<u8>> {
    let mut hello = Vec::new();
    ClientConnection::new(Arc::clone(config), name())?.write_tls(&mut hello)?;
    Ok(hello)
}

/// Shakes hands and leaves, until the process ends.
pub(super) async fn flood(config: Arc<ClientConfig>, to: SocketAddr) {
    loop {
        let _ = once(&config, to).await;
    }
}

async fn once(config: &Arc<ClientConfig>, to: SocketAddr) -> io::Result<()> {
    let wire = Wire::open(to, None).await?;
    TlsConnector::from(Arc::clone(config)).connect(name(), wire).await?;
    Ok(())
}
