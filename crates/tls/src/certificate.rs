//! One certificate with its chain and its key.

pub(crate) mod pem;
mod x509;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use model::HostMatch;
use rustls::SignatureAlgorithm;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use crate::error::{Error, Part};
use x509::Leaf;
pub(crate) use x509::time;

/// Most certificates in a chain. Public ones have two to four; OpenSSL follows ten by default.
const CHAIN_LENGTH_MAX: usize = 10;

/// By which algorithm a certificate's key signs. Ordered by preference: the cheapest signatures that most clients can
/// verify come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// ECDSA.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
    /// Any other.
    Other,
}

impl Kind {
    /// The word for logs and problems.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Ecdsa => "ECDSA",
            Kind::Ed25519 => "Ed25519",
            Kind::Rsa => "RSA",
            Kind::Other => "other",
        }
    }

    fn of(key: &dyn SigningKey) -> Kind {
        match key.algorithm() {
            SignatureAlgorithm::ECDSA => Kind::Ecdsa,
            SignatureAlgorithm::ED25519 => Kind::Ed25519,
            SignatureAlgorithm::RSA => Kind::Rsa,
            _ => Kind::Other,
        }
    }
}

/// The name on a certificate that stands in for one: no host has it (RFC 6761 §6.4).
const STAND_IN_NAME: &str = "no-certificate.invalid";

/// A certificate that can be served: it could be read, and its key belongs to it. Whether clients trust it, and whether
/// it is still valid, is theirs to judge; [`not_after`](Certificate::not_after) tells when they will stop.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    kind: Kind,
    names: Vec<HostMatch>,
    not_before: SystemTime,
    not_after: SystemTime,
    out_of_order: Option<usize>,
}

impl Certificate {
    /// Reads a certificate with its chain, and the key, both PEM. Anything else in either text (other kinds of PEM,
    /// what OpenSSL writes between them) is skipped.
    ///
    /// # Errors
    /// Says what cannot be used. A certificate that is expired, or whose chain is incomplete or in disorder, can: clients
    /// differ in what they accept.
    pub fn parse(chain: &[u8], key: &[u8]) -> Result<Certificate, Error> {
        let chain = pem::certificates(chain, Part::Chain)?;
        if chain.len() > CHAIN_LENGTH_MAX {
            return Err(Error::TooLong { count: chain.len(), max: CHAIN_LENGTH_MAX });
        }
        let key = pem::key(key)?;
        let x509::Chain { leaf, keys, out_of_order } = x509::read(&chain)?;
        let key = signing_key(&key)?;
        check_key(&*key, &keys)?;
        let Leaf { names, not_before, not_after } = leaf;
        let kind = Kind::of(&*key);
        let key = Arc::new(CertifiedKey::new(chain, key));
        Ok(Certificate { key, kind, names, not_before, not_after, out_of_order })
    }

    /// One that no client that verifies would take, with a key of its own, for as long as this process lives: it says for whom it
    /// is not.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn stand_in() -> Result<Certificate, String> {
        let made = rcgen::generate_simple_self_signed([STAND_IN_NAME.to_owned()]);
        let made = made.map_err(|error| error.to_string())?;
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        Certificate::parse(chain.as_bytes(), key.as_bytes()).map_err(|error| error.to_string())
    }

    /// The certificate and those after it, as clients get them (DER).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }

    /// By which algorithm it signs.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The DNS names it is for (subjectAltName; clients have ignored the common name since RFC 6125).
    pub fn names(&self) -> &[HostMatch] {
        &self.names
    }

    /// Whether clients would accept it for every host that is meant.
    pub fn covers(&self, host: &HostMatch) -> bool {
        let covers = |name: &HostMatch| match (name, host) {
            (HostMatch::Wildcard(parent), HostMatch::Exact(host)) => {
                host.as_str().split_once('.').is_some_and(|(_, rest)| rest == parent.as_str())
            }
            _ => name == host,
        };
        self.names.iter().any(covers)
    }

    /// From when on clients accept it.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Until when clients accept it.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The place (from 1) of the first certificate of the chain that did not issue the one before it. Some clients of
    /// TLS 1.2 give up there.
    pub fn out_of_order(&self) -> Option<usize> {
        self.out_of_order
    }

    /// Signs as in a handshake with a client that takes any scheme. For the fuzz targets.
    ///
    /// # Errors
    /// If the key cannot.
    #[cfg(feature = "fuzzing")]
    pub fn sign(
        &self,
        schemes: &[rustls::SignatureScheme],
        message: &[u8],
    ) -> Result<(rustls::SignatureScheme, Vec<u8>), rustls::Error> {
        let signer = self.key.key.choose_scheme(schemes);
        let signer = signer.ok_or(rustls::Error::General("no scheme fits".into()))?;
        Ok((signer.scheme(), signer.sign(message)?))
    }

    pub(crate) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

impl fmt::Debug for Certificate {
    /// The rest must not get into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names.iter().map(HostMatch::to_string).collect();
        f.debug_struct("Certificate").field("kind", &self.kind).field("names", &names).finish_non_exhaustive()
    }
}

fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, Error> {
    any_supported_type(key).map_err(|_| Error::Unsupported)
}

/// The key belongs to the first certificate. rustls' own `CertifiedKey::keys_match` asks the same but refuses certificates
/// of version 1, which clients of private CAs may well accept.
fn check_key(key: &dyn SigningKey, keys: &[Vec<u8>]) -> Result<(), Error> {
    let public = key.public_key().ok_or(Error::Unsupported)?;
    match keys.iter().position(|found| **found == *public.as_ref()) {
        Some(0) => Ok(()),
        Some(at) => Err(Error::NotFirst { at: at + 1 }),
        None => Err(Error::Mismatch),
    }
}
