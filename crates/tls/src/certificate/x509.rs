//! Reads X.509 certificates: names, dates, keys, and whether each issued the one before it (RFC 5280).

use std::time::{Duration, SystemTime};

use model::HostMatch;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::Error;

/// Most names that are read of a certificate. Public CAs allow some hundreds at most.
const NAMES_MAX: usize = 10_000;

/// What is read from a chain.
pub(super) struct Chain {
    pub(super) leaf: Leaf,
    /// The public key of each certificate, as SubjectPublicKeyInfo.
    pub(super) keys: Vec<Vec<u8>>,
    /// The place (from 1) of the first certificate that did not issue the one before it.
    pub(super) out_of_order: Option<usize>,
}

/// What is read from the first certificate, which the key belongs to.
pub(super) struct Leaf {
    pub(super) names: Vec<HostMatch>,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

/// Reads a chain, which is not empty.
pub(super) fn read(chain: &[CertificateDer<'_>]) -> Result<Chain, Error> {
    let certificates = chain.iter().enumerate().map(|(at, der)| certificate(at + 1, der));
    let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
    let Some(first) = certificates.first() else {
        return Err(Error::NotACertificate { at: 1, why: "there is none".into() });
    };
    let leaf = Leaf {
        names: names(first),
        not_before: time(first.validity().not_before),
        not_after: time(first.validity().not_after),
    };
    let keys = certificates.iter().map(|certificate| certificate.public_key().raw.to_vec()).collect();
    let disorder = certificates.windows(2).position(|pair| match pair {
        [issued, issuer] => issued.issuer().as_raw() != issuer.subject().as_raw(),
        _ => false,
    });
    Ok(Chain { leaf, keys, out_of_order: disorder.map(|at| at + 2) })
}

fn certificate<'a>(at: usize, der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => {
            Err(Error::NotACertificate { at, why: format!("{} bytes follow its end", rest.len()) })
        }
        Err(error) => Err(Error::NotACertificate { at, why: error.to_string() }),
    }
}

/// The DNS names that some host could have. Others (addresses, mail) are of no use to a server that is found by name.
fn names(certificate: &X509Certificate<'_>) -> Vec<HostMatch> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => HostMatch::parse(name).ok(),
        _ => None,
    });
    dns.filter(|name| *name != HostMatch::Any).take(NAMES_MAX).collect()
}

pub(crate) fn time(time: ASN1Time) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default());
    SystemTime::UNIX_EPOCH.checked_add(seconds).unwrap_or(SystemTime::UNIX_EPOCH)
}
