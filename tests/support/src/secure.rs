//! A client that speaks TLS, and the certificates that it believes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, StreamOwned};

use crate::frames::Frames;
use crate::message::{Message, Reader};
use crate::{End, PATIENCE};

/// A certificate authority of the test's own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Authority {
    /// A new one, which nothing else trusts.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    /// A certificate for these names and its key, both in PEM.
    ///
    /// # Panics
    /// If a name is malformed.
    pub fn certify(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// The authority's own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// As [`server`](Authority::server), for clients that show a certificate of this authority.
    ///
    /// # Panics
    /// If a certificate is malformed.
    pub fn server_for_its_own(&self, chain: &str, key: &str, protocol: &[u8]) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider).build();
        Authority::serve(chain, key, protocol, clients.expect("an authority"))
    }

    /// A server with this certificate that speaks one protocol.
    ///
    /// # Panics
    /// If the certificate is malformed.
    pub fn server(&self, chain: &str, key: &str, protocol: &[u8]) -> ServerConfig {
        Authority::serve(chain, key, protocol, WebPkiClientVerifier::no_client_auth())
    }

    fn serve(chain: &str, key: &str, protocol: &[u8], clients: Arc<dyn ClientCertVerifier>) -> ServerConfig {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("versions").with_client_cert_verifier(clients);
        let mut config = builder.with_single_cert(chain, key).expect("a certificate and its key");
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    }

    /// As [`client`](Authority::client), with a certificate to show.
    ///
    /// # Panics
    /// If a certificate is malformed.
    pub fn client_showing(&self, chain: &str, key: &str) -> Arc<ClientConfig> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("versions").with_root_certificates(self.roots());
        Arc::new(builder.with_client_auth_cert(chain, key).expect("a certificate and its key"))
    }

    /// The authority as a root.
    ///
    /// # Panics
    /// If its certificate is malformed.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("a certificate");
        roots
    }

    /// How a client that believes this authority shakes hands. Clients that share it resume each other's sessions.
    ///
    /// # Panics
    /// If the authority's own certificate is malformed.
    pub fn client(&self) -> Arc<ClientConfig> {
        let roots = self.roots();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Arc::new(builder.expect("versions").with_root_certificates(roots).with_no_client_auth())
    }
}

/// One TLS connection to the proxy.
pub struct Secure {
    stream: StreamOwned<ClientConnection, TcpStream>,
    reader: Reader,
}

impl Secure {
    /// Connects; the handshake comes with the first byte that is sent or read.
    ///
    /// # Panics
    /// If the connection is refused.
    pub fn connect(to: SocketAddr, name: &str, config: &Arc<ClientConfig>) -> Secure {
        let socket = TcpStream::connect(to).expect("the proxy accepts");
        socket.set_nodelay(true).expect("an open socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
        Secure { stream: StreamOwned::new(session, socket), reader: Reader::default() }
    }

    /// Agrees on HTTP/2, which the test then writes itself.
    pub fn into_frames(self) -> Frames<impl Read + Write> {
        Frames::begin(self.stream)
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// As TLS or the socket says.
    pub fn shake_hands(&mut self) -> io::Result<()> {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock)?;
        }
        Ok(())
    }

    /// Gives the first message of the handshake, to be sent by hand.
    ///
    /// # Panics
    /// If it was sent already.
    pub fn write_hello(&mut self, to: &mut Vec<u8>) {
        assert_ne!(self.stream.conn.write_tls(to).expect("memory"), 0, "it was sent already");
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// As TLS or the socket says.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Asks and reads the answer.
    ///
    /// # Errors
    /// If none comes, or only a part.
    pub fn get(&mut self, host: &str, target: &str) -> io::Result<Message> {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        self.response()
    }

    /// Reads a response.
    ///
    /// # Errors
    /// If none comes, or only a part.
    pub fn response(&mut self) -> io::Result<Message> {
        let mut message = self.reader.head(&mut self.stream)?;
        self.reader.body(&mut self.stream, &mut message, true)?;
        Ok(message)
    }

    /// Everything that still comes, and how it ends: cleanly only with TLS' own word for the end.
    pub fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => (bytes, End::Clean),
            Err(_) => (bytes, End::Reset),
        }
    }

    /// The certificate that the other side has shown.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        Some(self.stream.conn.peer_certificates()?.first()?.clone().into_owned())
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.stream.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Whether the other side lets data be sent that an attacker could send once more (0-RTT).
    pub fn may_send_early(&mut self) -> bool {
        self.stream.conn.early_data().is_some()
    }

    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        &self.stream.sock
    }
}
