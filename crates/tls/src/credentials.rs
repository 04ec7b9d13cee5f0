//! What a Secret holds for handshakes with endpoints: whom we believe, and what we show.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;

use crate::Certificate;
use crate::certificate::pem;
use crate::error::{Error, Part};

/// Most authorities. All public ones are some 150.
const AUTHORITIES_MAX: usize = 1000;

/// Authorities that vouch for endpoints, a certificate that endpoints are shown, or both.
pub struct Credentials {
    authorities: Option<Arc<RootCertStore>>,
    certificate: Option<Arc<Certificate>>,
}

impl Credentials {
    /// Reads the authorities' certificates, PEM, and our own certificate, as [`Certificate::parse`] does.
    ///
    /// # Errors
    /// Says what cannot be used. One bad certificate among the authorities spoils them all: to leave it out could let
    /// endpoints fail that its author means to be believed.
    pub fn parse(authorities: Option<&[u8]>, own: Option<(&[u8], &[u8])>) -> Result<Credentials, Error> {
        let authorities = authorities.map(roots).transpose()?;
        let certificate = own.map(|(chain, key)| Certificate::parse(chain, key)).transpose()?;
        Ok(Credentials { authorities: authorities.map(Arc::new), certificate: certificate.map(Arc::new) })
    }

    pub(crate) fn authorities(&self) -> Option<&Arc<RootCertStore>> {
        self.authorities.as_ref()
    }

    /// What endpoints are shown.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities = self.authorities.as_ref().map_or(0, |roots| roots.len());
        f.debug_struct("Credentials")
            .field("authorities", &authorities)
            .field("certificate", &self.certificate)
            .finish()
    }
}

fn roots(text: &[u8]) -> Result<RootCertStore, Error> {
    let certificates = pem::certificates(text, Part::Authorities)?;
    if certificates.len() > AUTHORITIES_MAX {
        return Err(Error::TooManyAuthorities { count: certificates.len(), max: AUTHORITIES_MAX });
    }
    let mut roots = RootCertStore::empty();
    for (certificate, at) in certificates.into_iter().zip(1..) {
        roots.add(certificate).map_err(|error| Error::NotAnAuthority { at, why: error.to_string() })?;
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
