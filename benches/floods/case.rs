//! The floods, one by one.

use std::fmt;

use clap::ValueEnum;

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Requests that are taken back at once (CVE-2023-44487)
    RapidReset,
    /// A head without an end (CVE-2024-27316)
    Continuation,
    /// PING, each of which wants an answer (CVE-2019-9512)
    Ping,
    /// SETTINGS, the same (CVE-2019-9515)
    Settings,
    /// PRIORITY and WINDOW_UPDATE, which want none
    Priority,
    /// Heads of very many fields in one byte each
    HpackFields,
    /// Heads of few long fields in one byte each
    HpackValues,
    /// Large answers over HTTP/2 that are given no window
    ZeroWindow,
    /// Large answers over HTTP/1 that are not read
    SlowRead,
    /// Heads that come byte by byte
    SlowHead,
    /// Bodies that come byte by byte
    SlowBody,
    /// Half of a ClientHello
    HandshakeStall,
    /// Whole handshakes, one after the other
    Handshakes,
}

impl Case {
    /// Whether it is about TLS: then the good clients speak it too.
    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Case::HandshakeStall | Case::Handshakes)
    }

    /// Whether it is made of very many connections, or requests on them.
    pub(crate) fn is_of_many(self) -> bool {
        self.reaches_upstream() || matches!(self, Case::SlowHead | Case::HandshakeStall)
    }

    /// Whether each connection of the attackers, or each of its streams, needs one towards the upstream.
    pub(crate) fn reaches_upstream(self) -> bool {
        matches!(self, Case::ZeroWindow | Case::SlowRead | Case::SlowBody)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is hidden").get_name())
    }
}
