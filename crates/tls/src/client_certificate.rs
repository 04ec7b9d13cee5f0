//! What a client's certificate says of the client, in the words in which endpoints are told it.

mod name;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Characters of a line of PEM (RFC 7468 §2).
const LINE: usize = 64;

/// What a certificate says of the one that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The subject, as RFC 2253 writes it: `CN=web,O=Shop`.
    pub subject: String,
    /// The same of what has issued it.
    pub issuer: String,
}

impl Names {
    /// Reads them; `None` of what is no certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Names> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        Some(Names { subject: name::shown(parsed.subject()), issuer: name::shown(parsed.issuer()) })
    }
}

/// The certificate as PEM in which all characters that a URI may not have by themselves are escaped (RFC 3986 §2.3): so it is
/// one line.
pub fn escaped_pem(certificate: &CertificateDer<'_>) -> String {
    let base64 = STANDARD.encode(certificate);
    let mut text = String::with_capacity(base64.len() * 9 / 8 + 100);
    let mut push = |line: &str| {
        for character in line.chars() {
            match character {
                'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' | '~' => text.push(character),
                '+' => text.push_str("%2B"),
                '/' => text.push_str("%2F"),
                '=' => text.push_str("%3D"),
                // Nothing else but spaces is in PEM.
                _ => text.push_str("%20"),
            }
        }
        text.push_str("%0A");
    };
    push("-----BEGIN CERTIFICATE-----");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, following) = rest.split_at(rest.len().min(LINE));
        push(line);
        rest = following;
    }
    push("-----END CERTIFICATE-----");
    text
}
