//! Whatever a Secret has for a certificate and a key, they are refused with a remedy or can be served, and never panic.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use tls::Certificate;

const KEY: &[u8] = include_bytes!("../../crates/tls/testdata/version-1.key");

fuzz_target!(|data: &[u8]| {
    // As a Secret has them, one after the other, with a byte between that PEM never has.
    let (chain, key) = data.split_at(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    look(chain, key.get(1..).unwrap_or_default());
    // As DER, which mutations of PEM seldom are.
    let der = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(data));
    look(der.as_bytes(), KEY);
});

fn look(chain: &[u8], key: &[u8]) {
    match Certificate::parse(chain, key) {
        Ok(certificate) => {
            assert!(!certificate.chain().is_empty());
            assert!(certificate.names().iter().all(|name| certificate.covers(name)));
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.remedy().is_empty()),
    }
}
