//! Where a process stands.

use serde::Serialize;

/// What `/state` shows. Field names are part of the command line: scripts read them.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The process, as it sees itself.
    pub pid: u32,
    /// The phase of its drain, in words.
    pub phase: &'static str,
    /// Why it is a lame duck.
    pub reasons: Vec<String>,
    /// Whether load balancers have had the time to notice that.
    pub let_go: bool,
    /// Open client connections, idle ones included.
    pub connections: u64,
    /// Requests in flight.
    pub requests: u64,
    /// What has become of the last upgrade that was asked for, if it has failed.
    pub upgrade_failed: Option<String>,
}
