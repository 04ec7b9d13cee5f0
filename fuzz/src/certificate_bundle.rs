//! Whatever a Secret has for a certificate and a key, they are refused with a remedy or can be served: what the key signs is
//! verified with the certificate that clients get.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::aws_lc_rs::default_provider;
use tls::Certificate;
use x509_parser::prelude::{FromDer, X509Certificate};

const KEY: &[u8] = include_bytes!("../../crates/tls/testdata/version-1.key");
const MESSAGE: &[u8] = b"what a handshake would sign";

/// Checks it.
pub fn check(data: &[u8]) {
    // As a Secret has them, one after the other, with a byte between that PEM never has.
    let (chain, key) = data.split_at(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    look(chain, key.get(1..).unwrap_or_default());
    // As DER, which mutations of PEM seldom are.
    let der = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(data));
    look(der.as_bytes(), KEY);
}

fn look(chain: &[u8], key: &[u8]) {
    match Certificate::parse(chain, key) {
        Ok(certificate) => {
            assert!(certificate.names().iter().all(|name| certificate.covers(name)));
            signs(&certificate);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.remedy().is_empty()),
    }
}

/// Verifies with the public key as it stands in the first certificate.
fn signs(certificate: &Certificate) {
    let algorithms = default_provider().signature_verification_algorithms;
    let schemes: Vec<_> = algorithms.mapping.iter().map(|(scheme, _)| *scheme).collect();
    // A key may be too short for every scheme; then handshakes fail, and nothing is signed that does not verify.
    let Ok((scheme, signature)) = certificate.sign(&schemes, MESSAGE) else { return };
    let (_, leaf) = X509Certificate::from_der(&certificate.chain()[0]).expect("an accepted one is X.509");
    let public = leaf.public_key().subject_public_key.as_ref();
    let fitting = algorithms.mapping.iter().filter(|(of, _)| *of == scheme).flat_map(|(_, all)| all.iter());
    let verified = fitting.map(|algorithm| algorithm.verify_signature(public, MESSAGE, &signature));
    assert!(verified.into_iter().any(|it| it.is_ok()), "{certificate:?} does not verify what it signs");
}
