//! What a Secret holds for handshakes with endpoints: a CA bundle, a client certificate, or both.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;

use crate::Certificate;
use crate::certificate::pem;
use crate::error::{Error, Part};

/// Most certificates in a CA bundle. All public CAs are some 150.
const CAS_MAX: usize = 1000;

/// A CA bundle that endpoints are verified with, a client certificate that endpoints are sent, or both.
pub struct Credentials {
    ca_bundle: Option<Arc<RootCertStore>>,
    client_certificate: Option<Arc<Certificate>>,
}

impl Credentials {
    /// Reads a CA bundle, PEM, and a client certificate with its key, as [`Certificate::parse`] does.
    ///
    /// # Errors
    /// Says what cannot be used. One bad certificate spoils the whole CA bundle: without it, endpoints could fail that the
    /// bundle's author wants to be trusted.
    pub fn parse(ca_bundle: Option<&[u8]>, client: Option<(&[u8], &[u8])>) -> Result<Credentials, Error> {
        let ca_bundle = ca_bundle.map(roots).transpose()?.map(Arc::new);
        let client_certificate = client.map(|(chain, key)| Certificate::parse(chain, key)).transpose()?;
        Ok(Credentials { ca_bundle, client_certificate: client_certificate.map(Arc::new) })
    }

    pub(crate) fn ca_bundle(&self) -> Option<&Arc<RootCertStore>> {
        self.ca_bundle.as_ref()
    }

    /// The client certificate.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.client_certificate.as_ref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cas = self.ca_bundle.as_ref().map_or(0, |roots| roots.len());
        f.debug_struct("Credentials")
            .field("cas", &cas)
            .field("client_certificate", &self.client_certificate)
            .finish()
    }
}

fn roots(text: &[u8]) -> Result<RootCertStore, Error> {
    let certificates = pem::certificates(text, Part::CaBundle)?;
    if certificates.len() > CAS_MAX {
        return Err(Error::TooManyCas { count: certificates.len(), max: CAS_MAX });
    }
    let mut roots = RootCertStore::empty();
    for (certificate, at) in certificates.into_iter().zip(1..) {
        roots.add(certificate).map_err(|error| Error::NotACa { at, why: error.to_string() })?;
    }
    Ok(roots)
}

/// The credentials of all Secrets that have some. A snapshot: it never changes.
#[derive(Debug, Default)]
pub struct AllCredentials(HashMap<String, Arc<Credentials>>);

impl AllCredentials {
    /// What the Secrets of these names, each `NAMESPACE/NAME`, have.
    pub fn new(all: impl IntoIterator<Item = (String, Arc<Credentials>)>) -> AllCredentials {
        AllCredentials(all.into_iter().collect())
    }

    /// Those of this Secret.
    pub fn find(&self, namespace: &str, secret: &str) -> Option<&Arc<Credentials>> {
        self.0.get(&format!("{namespace}/{secret}"))
    }
}
