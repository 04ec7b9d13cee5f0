//! Whatever a client shows for a certificate, it is let in only with one that the CA has signed, and what endpoints are told of
//! it is one line that nothing else can be read from.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tls::{ClientCa, Names, Verdict, escaped_pem};
use x509_parser::prelude::{FromDer, X509Certificate};

const CA: &[u8] = include_bytes!("../../crates/tls/testdata/client-ca.pem");
const SIGNED: &[u8] = include_bytes!("../../crates/tls/testdata/client-version-1.pem");
/// Both are good then.
const IN_2050: Duration = Duration::from_secs(80 * 365 * 24 * 60 * 60);

/// Checks it.
pub fn check(data: &[u8]) {
    let shown = CertificateDer::from(data.to_vec());
    let ca = ClientCa::parse(CA, None).expect("a bundle");
    let now = SystemTime::UNIX_EPOCH + IN_2050;
    if ca.judge(std::slice::from_ref(&shown), 1, now) == Verdict::Good {
        let is_signed = [CA, SIGNED].into_iter().any(|pem| signed_part(pem) == signed_part_of(data));
        assert!(is_signed, "a certificate is believed that the CA has not signed");
    }
    if let Some(Names { subject, issuer }) = Names::of(&shown) {
        let is_line = |name: &str| name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        assert!(is_line(&subject) && is_line(&issuer), "{subject:?} {issuer:?}");
    }
    let escaped = escaped_pem(&shown);
    assert!(
        escaped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
        "{escaped}"
    );
    // As a bundle of its own it is refused with a remedy, or lets in what it has signed.
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(data));
    match ClientCa::parse(pem.as_bytes(), None) {
        Ok(ca) => {
            drop(ca.judge(&[CertificateDer::from_pem_slice(SIGNED).expect("a certificate"), shown], 1, now))
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.remedy().is_empty()),
    }
}

fn signed_part(pem: &[u8]) -> Option<Vec<u8>> {
    signed_part_of(&CertificateDer::from_pem_slice(pem).expect("a certificate"))
}

fn signed_part_of(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.tbs_certificate.as_ref().to_vec())
}
