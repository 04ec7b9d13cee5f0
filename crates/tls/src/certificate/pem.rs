//! The sections of a PEM text (RFC 7468).

use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Part};

/// Largest text that is read. A chain of ten certificates with large keys takes some 30 KiB; Kubernetes lets a Secret
/// have 1 MiB, which a bundle of all public roots does not reach.
const BYTES_MAX: usize = 128 * 1024;
/// The same for a CA bundle, and for lists of revoked certificates.
const BUNDLE_BYTES_MAX: usize = 1024 * 1024;
const BEGIN: &str = "-----BEGIN ";

/// The certificates in their order.
pub(crate) fn certificates(text: &[u8], part: Part) -> Result<Vec<CertificateDer<'static>>, Error> {
    let sections = sections(text, part)?;
    let ders = sections.into_iter().filter(|(kind, _)| *kind == SectionKind::Certificate);
    let chain: Vec<_> = ders.map(|(_, der)| der.into()).collect();
    if chain.is_empty() {
        return Err(Error::Missing { part, instead: labels(text) });
    }
    Ok(chain)
}

/// The lists of revoked certificates.
pub(crate) fn revocation_lists(text: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let sections = sections(text, Part::Revoked)?;
    let lists: Vec<_> =
        sections.into_iter().filter(|(kind, _)| *kind == SectionKind::Crl).map(|(_, der)| der).collect();
    if lists.is_empty() {
        return Err(Error::Missing { part: Part::Revoked, instead: labels(text) });
    }
    Ok(lists)
}

/// The first private key.
pub(super) fn key(text: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    // PKCS #8 says so in its label, OpenSSL's older format in a header line of the section.
    if labels(text).iter().any(|label| label == "ENCRYPTED PRIVATE KEY")
        || has_line(text, "Proc-Type: 4,ENCRYPTED")
    {
        return Err(Error::Encrypted);
    }
    let sections = sections(text, Part::Key)?;
    let mut keys = sections.into_iter().filter_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
    keys.next().ok_or_else(|| Error::Missing { part: Part::Key, instead: labels(text) })
}

fn sections(text: &[u8], part: Part) -> Result<Vec<(SectionKind, Vec<u8>)>, Error> {
    let is_bundle = matches!(part, Part::CaBundle | Part::Revoked);
    let max = if is_bundle { BUNDLE_BYTES_MAX } else { BYTES_MAX };
    if text.len() > max {
        return Err(Error::TooLarge { part, bytes: text.len(), max });
    }
    if text.trim_ascii().is_empty() {
        return Err(Error::Empty(part));
    }
    if is_binary(text) {
        return Err(Error::Binary(part));
    }
    check_ends(text, part)?;
    <(SectionKind, Vec<u8>)>::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Malformed { part, why: error.to_string() })
}

/// DER and PKCS #12 begin with a SEQUENCE whose length takes more than a byte.
fn is_binary(text: &[u8]) -> bool {
    matches!(text, [0x30, 0x81..=0x84, ..])
}

/// Each section ends before the next begins. The PEM reader would skip an end without beginning, and take what follows a
/// missing end for base64; both come from a text that was not copied whole.
fn check_ends(text: &[u8], part: Part) -> Result<(), Error> {
    let malformed = |why: String| Err(Error::Malformed { part, why });
    let mut open: Option<&[u8]> = None;
    for line in lines(text) {
        if let Some(label) = label_of(line, BEGIN.as_bytes()) {
            if open.is_some() {
                return malformed(format!("a section begins before {} has ended", shown(open)));
            }
            open = Some(label);
        } else if let Some(label) = label_of(line, b"-----END ") {
            if open != Some(label) {
                return malformed(format!("{} ends that has not begun", shown(Some(label))));
            }
            open = None;
        }
    }
    if open.is_some() { malformed(format!("{} does not end", shown(open))) } else { Ok(()) }
}

/// The kinds of all sections, each once and none longer than a reader wants it.
fn labels(text: &[u8]) -> Vec<String> {
    let all = lines(text).filter_map(|line| label_of(line, BEGIN.as_bytes()));
    let mut labels = Vec::new();
    for label in all.map(|label| shown(Some(label))) {
        if labels.len() < 5 && !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn label_of<'a>(line: &'a [u8], marker: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(marker)?.strip_suffix(b"-----")
}

fn shown(label: Option<&[u8]>) -> String {
    let label = label.unwrap_or_default();
    String::from_utf8_lossy(&label[..label.len().min(40)]).into_owned()
}

fn has_line(text: &[u8], line: &str) -> bool {
    lines(text).any(|found| found == line.as_bytes())
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}
