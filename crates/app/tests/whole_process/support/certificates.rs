//! Certificates, and clients that trust some of them and no others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::generate_simple_self_signed;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use test_support::manifests;

use super::{PATIENCE, eventually};

/// A certificate that vouches for itself, and its key.
pub(crate) struct Issued {
    host: String,
    pub(crate) chain: String,
    pub(crate) key: String,
    der: CertificateDer<'static>,
}

impl Issued {
    pub(crate) fn to(host: &str) -> Issued {
        let rcgen::CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([host.to_owned()]).unwrap();
        let (chain, key) = (cert.pem(), signing_key.serialize_pem());
        Issued { host: host.into(), chain, key, der: cert.der().clone() }
    }

    /// Whether its host is shown it now.
    pub(crate) fn is_served(&self, at: SocketAddr) -> bool {
        handshake(at, &self.host, &config(&[self]))
    }

    /// Waits until it is.
    pub(crate) fn comes_to_be_served(&self, at: SocketAddr) {
        eventually("the certificate", || self.is_served(at).then_some(()));
    }

    /// The status of a request to its host of a client that trusts it and shows a certificate of its own, or none.
    pub(crate) fn status(&self, at: SocketAddr, shown: Option<&Issued>) -> u16 {
        let mut config = ClientConfig::clone(&config(&[self]));
        if let Some(Issued { der, key, .. }) = shown {
            let key = any_supported_type(&PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
            let own = SingleCertAndKey::from(CertifiedKey::new(vec![der.clone()], key));
            config.client_auth_cert_resolver = Arc::new(own);
        }
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from(self.host.clone()).unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The manifest of a Secret that has it as a CA bundle.
    pub(crate) fn bundle(&self, name: &str) -> String {
        let bundle = self.chain.replace('\n', "\\n");
        format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}, namespace: shop}}, stringData: {{ca.crt: \"{bundle}\"}}}}"
        )
    }

    /// The manifest of a Secret of this name that has it.
    pub(crate) fn secret(&self, name: &str) -> String {
        manifests::secret(&format!("name: {name}"), &self.chain, &self.key)
    }
}

/// A client that trusts these alone, and never resumes.
fn config(trusted: &[&Issued]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    trusted.iter().for_each(|issued| roots.add(issued.der.clone()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn handshake(at: SocketAddr, host: &str, config: &Arc<ClientConfig>) -> bool {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}

/// Handshakes without a pause, each of which has to succeed.
pub(crate) struct Handshakes {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    client: JoinHandle<()>,
}

impl Handshakes {
    /// With a client that trusts these.
    pub(crate) fn start(at: SocketAddr, trusted: &[&Issued]) -> Handshakes {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&done));
        let (config, host) = (config(trusted), trusted[0].host.clone());
        let client = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                assert!(handshake(at, &host, &config), "a handshake has failed");
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Handshakes { stop, done, client }
    }

    /// Lets some more succeed.
    pub(crate) fn go_on(&self) {
        let before = self.done.load(Ordering::Relaxed);
        eventually("more handshakes", || {
            assert!(!self.client.is_finished(), "a handshake has failed");
            (self.done.load(Ordering::Relaxed) > before + 5).then_some(())
        });
    }

    /// Ends them, and fails if one did.
    pub(crate) fn end(self) {
        self.go_on();
        self.stop.store(true, Ordering::Relaxed);
        self.client.join().expect("every handshake succeeds");
    }
}
