//! A service of TCP: what clients and an endpoint say to each other on a port is passed on as it is.

use std::num::NonZeroU16;
use std::time::Duration;

use crate::Balance;

/// A service of TCP. Its port is opened with the table that has it, and closed with the first one that has it not;
/// connections that are open by then go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpService {
    /// Where clients connect to.
    pub port: u16,
    /// The place of its backend in the table.
    pub backend: u32,
    /// Whether each connection begins with a PROXY header, version 1 or 2, which says where the client is. Of each it is
    /// demanded. Whether endpoints are told is the backend's transport to say.
    pub reads_proxy_header: bool,
    /// How its endpoints share connections.
    pub balance: Balance,
    /// How long both sides may be silent.
    pub idle_timeout: Duration,
    /// How many endpoints a connection is tried at; if nothing, as many as the proxy tries for a request.
    pub attempts: Option<NonZeroU16>,
    /// How long after its beginning another endpoint may be tried; if nothing, for ever.
    pub try_for: Option<Duration>,
}
