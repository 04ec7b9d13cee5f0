//! File descriptors: as many as the system allows, because every connection needs one.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use rustix::process::{Resource, getrlimit, setrlimit};

/// File descriptors for everything that is no connection: listeners, logs, manifests, runtimes.
const OTHERS: u64 = 64;
/// Client connections by default, however many descriptors there are: at about 2 KiB each, they stay below 256 MiB.
const CONNECTIONS_MAX: u64 = 1 << 17;

/// Sockets of TCP services: with those for HTTP there are fewer than a handover passes on.
const PORT_SOCKETS_MAX: usize = 4000;

/// How many files this process may have open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FdLimit {
    pub(crate) files: u64,
}

impl FdLimit {
    /// Raises the soft limit to the hard one. A limit that cannot be raised stays as it is.
    pub(crate) fn raise() -> FdLimit {
        let limit = getrlimit(Resource::Nofile);
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        let current = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        FdLimit { files: current.unwrap_or(u64::MAX) }
    }

    /// Ports of TCP services, each of which takes a socket at every address: an eighth, which leaves most of the other half to
    /// connections to endpoints, and not more than a successor takes.
    pub(crate) fn ports_max(self, http: &[SocketAddr]) -> usize {
        let addresses: BTreeSet<IpAddr> = http.iter().map(SocketAddr::ip).collect();
        let sockets = usize::try_from(self.files / 8).unwrap_or(usize::MAX).min(PORT_SOCKETS_MAX);
        sockets / addresses.len().max(1)
    }

    /// Half for clients, since each of their connections may need one towards an endpoint.
    pub(crate) fn connections_max(self) -> usize {
        let half = (self.files / 2).saturating_sub(OTHERS).clamp(1, CONNECTIONS_MAX);
        usize::try_from(half).unwrap_or(usize::MAX)
    }
}
