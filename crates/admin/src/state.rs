//! The state of a process.

use serde::Serialize;

/// What `/state` shows. Field names are an interface: scripts read them.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The process ID, as the process itself sees it.
    pub pid: u32,
    /// The phase of its drain, in words.
    pub phase: &'static str,
    /// Why it is a lame duck.
    pub reasons: Vec<String>,
    /// Whether load balancers have had the time to notice.
    pub let_go: bool,
    /// Open client connections, idle ones included.
    pub connections: u64,
    /// Requests in flight.
    pub requests: u64,
    /// Why the last upgrade failed, if it did.
    pub upgrade_failed: Option<String>,
}
