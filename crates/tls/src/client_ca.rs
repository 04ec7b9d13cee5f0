//! What a Secret holds to verify clients by: a CA bundle, and a list of revoked certificates where there is one.

mod path;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest;
use rustls::DistinguishedName;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::certificate::{pem, time};
use crate::error::{Error, Part};

/// Most certificates in the bundle, and most lists beside it. All public CAs are some 150.
const CAS_MAX: usize = 1000;
/// Most bytes of names that clients are told in a handshake; of more they are told none. It has no room for more than 64 KiB (RFC
/// 8446 §4.2.4), and each client would pay for them.
const NAMES_BYTES_MAX: usize = 16 * 1024;

/// What a client's certificate comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A CA of the bundle has issued it, and it is good.
    Good,
    /// Nothing is wrong with it but that no CA of the bundle has issued it; in OpenSSL's words, which endpoints may know.
    Unknown(&'static str),
    /// It cannot be believed, and why.
    Bad(String),
}

/// A CA bundle that clients are verified by.
pub struct ClientCa {
    /// The roots, which a path has to end at, each with the time in which it is good.
    roots: Vec<Root>,
    /// All other certificates of the bundle: they may stand in a path, and need not be sent.
    others: Vec<CertificateDer<'static>>,
    revoked: Vec<CertRevocationList<'static>>,
    names: Vec<DistinguishedName>,
    digest: [u8; DIGEST_BYTES],
}

/// SHA-256.
pub(crate) const DIGEST_BYTES: usize = 32;

struct Root {
    der: CertificateDer<'static>,
    anchor: TrustAnchor<'static>,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl ClientCa {
    /// Reads a CA bundle and, if there are some, lists of revoked certificates, both PEM. With lists, each certificate
    /// of a path must have one and not be on it, as nginx has it.
    ///
    /// A path has to end at a certificate of the bundle which has issued itself, as with OpenSSL.
    ///
    /// # Errors
    /// Says what cannot be used. One bad certificate spoils the whole, as does one bad list.
    pub fn parse(bundle: &[u8], revoked: Option<&[u8]>) -> Result<ClientCa, Error> {
        let certificates = pem::certificates(bundle, Part::CaBundle)?;
        if certificates.len() > CAS_MAX {
            return Err(Error::TooManyCas { count: certificates.len(), max: CAS_MAX });
        }
        let (mut roots, mut others, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (der, at) in certificates.into_iter().zip(1..) {
            let (is_root, name) = read(&der, at, &mut roots)?;
            if !is_root {
                others.push(der);
            }
            if !names.iter().any(|known: &DistinguishedName| known.as_ref() == name.as_ref()) {
                names.push(name);
            }
        }
        if names.iter().map(|name| name.as_ref().len()).sum::<usize>() > NAMES_BYTES_MAX {
            names.clear();
        }
        let digest = digest_of(bundle, revoked.unwrap_or_default());
        let revoked = revoked.map(lists).transpose()?.unwrap_or_default();
        Ok(ClientCa { roots, others, revoked, names, digest })
    }

    /// The subjects of the bundle: clients that have several certificates choose by them.
    pub(crate) fn names(&self) -> &[DistinguishedName] {
        &self.names
    }

    /// Tells it from any other.
    pub fn digest(&self) -> &[u8; DIGEST_BYTES] {
        &self.digest
    }

    /// What the certificate, the first of a chain that a client has sent, comes to at this time. Between it and a root
    /// may be as many others as `depth_max`.
    pub fn judge(&self, chain: &[CertificateDer<'_>], depth_max: u8, now: SystemTime) -> Verdict {
        path::judge(self, chain, usize::from(depth_max), now)
    }
}

impl fmt::Debug for ClientCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.roots.len() + self.others.len();
        f.debug_struct("ClientCa").field("cas", &count).field("lists", &self.revoked.len()).finish()
    }
}

/// Reads one certificate of the bundle: whether it is a root, and its name.
fn read(
    der: &CertificateDer<'static>,
    at: usize,
    roots: &mut Vec<Root>,
) -> Result<(bool, DistinguishedName), Error> {
    let not_a_ca = |why: String| Error::NotACa { at, why };
    let anchor = anchor_from_trusted_cert(der).map_err(|error| not_a_ca(error.to_string()))?.to_owned();
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| not_a_ca(error.to_string()))?;
    let name = DistinguishedName::in_sequence(&anchor.subject);
    let is_root = parsed.subject().as_raw() == parsed.issuer().as_raw();
    if is_root {
        let (from, to) = (time(parsed.validity().not_before), time(parsed.validity().not_after));
        roots.push(Root { der: der.clone(), anchor, not_before: from, not_after: to });
    }
    Ok((is_root, name))
}

fn lists(text: &[u8]) -> Result<Vec<CertRevocationList<'static>>, Error> {
    let lists = pem::revocation_lists(text)?;
    if lists.len() > CAS_MAX {
        return Err(Error::TooManyCas { count: lists.len(), max: CAS_MAX });
    }
    let read = lists.iter().map(|der| {
        let list = OwnedCertRevocationList::from_der(der)
            .map_err(|error| Error::Malformed { part: Part::Revoked, why: error.to_string() });
        Ok(CertRevocationList::from(list?))
    });
    read.collect()
}

fn digest_of(bundle: &[u8], revoked: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(bundle.len() as u64).to_be_bytes());
    context.update(bundle);
    context.update(revoked);
    context.finish().as_ref().try_into().expect("SHA-256 has as many bytes")
}

/// The CA bundles of all Secrets that have one for clients. A snapshot: it never changes.
#[derive(Debug, Default)]
pub struct AllClientCas(HashMap<String, Arc<ClientCa>>);

impl AllClientCas {
    /// What the Secrets of these names, each `NAMESPACE/NAME`, have.
    pub fn new(all: impl IntoIterator<Item = (String, Arc<ClientCa>)>) -> AllClientCas {
        AllClientCas(all.into_iter().collect())
    }

    /// That of the Secret of this name.
    pub fn find(&self, secret: &str) -> Option<&Arc<ClientCa>> {
        self.0.get(secret)
    }
}
