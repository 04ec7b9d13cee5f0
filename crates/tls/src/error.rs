//! What is wrong with a certificate or its key, and what to do about it.

use std::fmt;

/// Which of the PEM texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The certificate and those that link it to a root.
    Chain,
    /// The private key.
    Key,
    /// The CA bundle: certificates that others are verified with.
    CaBundle,
    /// Lists of revoked certificates.
    Revoked,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Chain => "certificate",
            Part::Key => "private key",
            Part::CaBundle => "CA certificate",
            Part::Revoked => "list of revoked certificates",
        })
    }
}

/// Why a certificate and its key, or a CA bundle, cannot be used. Each says what is wrong with the part that [`Error::part`]
/// names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing but white space.
    #[error("is empty")]
    Empty(Part),
    /// More bytes than are read.
    #[error("has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Of what.
        part: Part,
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// DER or PKCS #12.
    #[error("is binary (DER or PKCS #12), not PEM")]
    Binary(Part),
    /// PEM that ends early, or has a line that is not PEM.
    #[error("is not PEM that can be read: {why}")]
    Malformed {
        /// Of what.
        part: Part,
        /// What is wrong.
        why: String,
    },
    /// Text or PEM of other kinds.
    #[error("has no {part} in it{}", found(.instead))]
    Missing {
        /// What is missing.
        part: Part,
        /// The kinds of PEM that are there.
        instead: Vec<String>,
    },
    /// The key needs a password.
    #[error("is encrypted")]
    Encrypted,
    /// More certificates than any client would follow.
    #[error("has {count} certificates, more than {max}")]
    TooLong {
        /// How many it has.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// A section that is labelled a certificate and is none.
    #[error("has a certificate that cannot be read at place {at}: {why}")]
    NotACertificate {
        /// Its place, from 1.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// More CA certificates than anyone needs.
    #[error("has {count} CA certificates, more than {max}")]
    TooManyCas {
        /// How many it has.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// A certificate that cannot be a CA's.
    #[error("has a certificate that cannot be a CA's at place {at}: {why}")]
    NotACa {
        /// Its place, from 1.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// An algorithm or a size that cannot be used.
    #[error("is of a kind that is not supported")]
    Unsupported,
    /// The key of another certificate.
    #[error("does not belong to the certificate")]
    Mismatch,
    /// The key's certificate is there but does not come first.
    #[error("has the certificate of the key at place {at}, after others")]
    NotFirst {
        /// Its place, from 1.
        at: usize,
    },
}

impl Error {
    /// Which part is wrong.
    pub fn part(&self) -> Part {
        match self {
            Error::Empty(part)
            | Error::Binary(part)
            | Error::TooLarge { part, .. }
            | Error::Malformed { part, .. }
            | Error::Missing { part, .. } => *part,
            Error::TooLong { .. } | Error::NotACertificate { .. } | Error::NotFirst { .. } => Part::Chain,
            Error::Encrypted | Error::Unsupported | Error::Mismatch => Part::Key,
            Error::TooManyCas { .. } | Error::NotACa { .. } => Part::CaBundle,
        }
    }

    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::TooLarge { part: Part::Chain, .. } | Error::TooLong { .. } => {
                "give the certificate and its intermediates only, not a bundle of roots"
            }
            Error::Empty(Part::Chain) | Error::Missing { part: Part::Chain, .. } => {
                "give the certificate and then its intermediates as PEM (BEGIN CERTIFICATE)"
            }
            Error::Empty(Part::CaBundle)
            | Error::TooLarge { part: Part::CaBundle, .. }
            | Error::Missing { part: Part::CaBundle, .. }
            | Error::TooManyCas { .. }
            | Error::NotACa { .. } => {
                "give the certificates of the CAs that issue those to be verified as PEM (BEGIN CERTIFICATE)"
            }
            Error::Empty(Part::Revoked)
            | Error::TooLarge { part: Part::Revoked, .. }
            | Error::Missing { part: Part::Revoked, .. }
            | Error::Malformed { part: Part::Revoked, .. }
            | Error::Binary(Part::Revoked) => {
                "give the lists as PEM (BEGIN X509 CRL), one of each CA, or none at all"
            }
            Error::Empty(Part::Key) | Error::TooLarge { .. } | Error::Missing { .. } => {
                "give the certificate's private key as PEM (BEGIN PRIVATE KEY)"
            }
            Error::Binary(Part::Chain | Part::CaBundle) => {
                "convert it with openssl x509 -inform der, or openssl pkcs12 -nokeys"
            }
            Error::Binary(Part::Key) => {
                "convert it with openssl pkey -inform der, or openssl pkcs12 -nocerts -noenc"
            }
            Error::Malformed { .. } => "copy it whole, from -----BEGIN to -----END, with its line ends",
            Error::NotACertificate { .. } => "issue the certificate anew, or copy it whole",
            Error::Encrypted => {
                "decrypt it with openssl pkey; a password in the same Secret would protect nothing"
            }
            Error::Unsupported => {
                "use RSA with 2048 to 8192 bits, ECDSA with P-256, P-384 or P-521, or Ed25519"
            }
            Error::Mismatch => "give the key that the certificate was requested with",
            Error::NotFirst { .. } => "put it first, then the one that issued it, and so on",
        }
    }
}

fn found(instead: &[String]) -> String {
    if instead.is_empty() { String::new() } else { format!(", only {}", instead.join(", ")) }
}
