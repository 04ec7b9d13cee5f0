//! Whether a host's clients have to show a certificate, and what endpoints are told of it.

use std::fmt;
use std::sync::Arc;

use crate::Pattern;

/// What is demanded of the clients of a host. It holds for all routes of the host: what a client is asked for is decided
/// before its first request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientTls {
    /// The Secret with the CA bundle that certificates are verified by, as `NAMESPACE/NAME`. `None` if there is none that may be
    /// used: then no request is served.
    pub ca: Option<Arc<str>>,
    /// Whether clients have to show a certificate.
    pub verify: ClientVerify,
    /// How many other certificates may stand between it and the root.
    pub depth: u8,
    /// What the subject has to match, as RFC 2253 writes it (`CN=web,O=Shop`).
    pub subject: Option<Pattern>,
    /// Whether endpoints get the certificate itself.
    pub pass: bool,
    /// Where clients are sent that have no certificate, or none that can be believed.
    pub error_page: Option<Arc<str>>,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientVerify {
    /// One that can be verified.
    #[default]
    Required,
    /// None; but one that is shown has to be verified.
    Optional,
    /// None; and one that is shown need not be of a known CA: the endpoint decides.
    AnyIssuer,
    /// They are not asked.
    Off,
}

impl ClientVerify {
    /// All of them.
    pub const ALL: [ClientVerify; 4] =
        [ClientVerify::Required, ClientVerify::Optional, ClientVerify::AnyIssuer, ClientVerify::Off];

    /// The word used in annotations and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientVerify::Required => "on",
            ClientVerify::Optional => "optional",
            ClientVerify::AnyIssuer => "optional_no_ca",
            ClientVerify::Off => "off",
        }
    }

    /// The one with this word.
    pub fn parse(word: &str) -> Option<ClientVerify> {
        ClientVerify::ALL.into_iter().find(|verify| verify.as_str() == word)
    }

    /// Whether clients are asked for a certificate.
    pub fn asks(self) -> bool {
        self != ClientVerify::Off
    }
}

impl fmt::Display for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ca) = &self.ca else { return f.write_str("no CA bundle that may be used") };
        write!(f, "{}, by Secret {ca}, depth {}", self.verify.as_str(), self.depth)?;
        if let Some(subject) = &self.subject {
            write!(f, ", subject {:?}", subject.as_str())?;
        }
        if self.pass {
            f.write_str(", passed on")?;
        }
        match &self.error_page {
            Some(page) => write!(f, ", else to {page}"),
            None => Ok(()),
        }
    }
}
