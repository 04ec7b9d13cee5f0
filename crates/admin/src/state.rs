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
    /// The DNS records of the hosts that are served, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
    /// The load balancers at which this node is registered, if it is to be at any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancers: Option<LoadBalancers>,
}

/// The DNS records of the hosts that are served.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// Whether this process is the one that writes them. The others know nothing of what is below.
    pub writes: bool,
    /// When all was last looked at, in seconds since 1970.
    pub looked_at: Option<u64>,
    /// Names with records of ours.
    pub ours: usize,
    /// Names whose records are as they should be.
    pub in_place: usize,
    /// Changes that were made since the start.
    pub changes: u64,
    /// Changes that are held back, and why; the first of them.
    pub withheld: Vec<String>,
    /// What is wrong; the first of it.
    pub problems: Vec<String>,
    /// Why the records are not kept, if they are not.
    pub error: Option<String>,
}

/// The load balancers in front of this node.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancers {
    /// Those that were found, and the target groups of each.
    pub found: Vec<Registration>,
    /// Why they cannot be asked, if so.
    pub error: Option<String>,
    /// What is not as it should be with what was found.
    pub notes: Vec<String>,
}

/// A place at which this node is to be registered while it serves.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// What stands in front: `classic`, `nlb`, `alb`, or a `target group` alone.
    pub kind: &'static str,
    /// The name of the load balancer, and of its target group.
    pub name: String,
    /// The name of a classic load balancer, or the ARN of the target group.
    pub id: String,
    /// `internal` or `internet-facing`.
    pub scheme: Option<&'static str>,
    /// What is said of this node there: `in service`, `registering`, `unhealthy`, `deregistering`, `not registered` or `unknown`.
    pub state: &'static str,
    /// Why, in the words of the load balancer.
    pub reason: String,
    /// Since when (RFC 3339); none if it was asked only once.
    pub since: Option<String>,
    /// How long it drains connections after a deregistration, in seconds.
    pub drain_seconds: Option<u64>,
    /// Why it could not be asked the last time.
    pub error: Option<String>,
}
