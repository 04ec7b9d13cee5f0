//! How the process leaves, and what makes it leave.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::{Leave, Taint};
use crate::units::SpanOrNone;

/// For a load balancer that checks every 10 s and acts on the second failure, with time to spare.
const LAME_DUCK_TIME: Duration = Duration::from_secs(30);
/// Enough for what goes wrong with the first requests, for memory that runs short, and for an operator to notice; it costs
/// the memory of a process without clients for as long.
const GUARD_TIME: &str = "1m";
/// Kubernetes sets this in every container.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";
/// Taints that announce the removal of a node: from cluster-autoscaler, karpenter (1.x and before), AWS' node termination
/// handler, and for operators by hand.
const TAINTS: [&str; 5] = [
    "ToBeDeletedByClusterAutoscaler",
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    "aws-node-termination-handler/*",
    "sluicegate.io/drain",
];

/// Leaving, with a successor or without one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Leaving")]
pub(crate) struct LeaveArgs {
    /// Answer the health checks of load balancers here: /ready and /live, and nothing else
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_HEALTH")]
    pub(crate) health: Option<SocketAddr>,

    /// Own this Unix socket, for the commands probe, drain and upgrade: only this process answers there, and only this
    /// user and root can ask. Its folder must exist
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_CONTROL")]
    pub(crate) control: Option<PathBuf>,

    /// Take the listening sockets over from the process that owns this Unix socket, if there is one, and own it from then
    /// on for the next process. Both must share its folder, which must exist, and the network
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_HANDOVER")]
    pub(crate) handover: Option<PathBuf>,

    /// What a process does when it has handed over and is drained: exit, or stay until it is asked to leave or its
    /// successor is gone. By default stay in a pod, since a container that exits is restarted and would take over again
    #[arg(long, value_name = "WHAT", env = "SLUICEGATE_AFTER_HANDOVER")]
    after_handover: Option<AfterHandover>,

    /// How long a process stays at least after a handover, drained or not, to serve again if its successor dies: a broken
    /// version mostly does so at once. Then it exits, unless clients keep it longer
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_GUARD_TIME", default_value = GUARD_TIME)]
    guard_time: SpanOrNone,

    /// How long load balancers need to notice that /ready fails: their interval times their threshold, and some more.
    /// Asked to leave, the process goes on accepting for this long, or twice this long while new clients still connect.
    /// By default 30s with --health or with load balancers of AWS, else 0s, since none could notice
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_LAME_DUCK_TIME")]
    lame_duck_time: Option<SpanOrNone>,

    /// Taints of our own node (--node-name) that announce its removal: while it has one, /ready fails and clients are told
    /// to leave. A * at the end stands for anything
    #[arg(
        long,
        value_name = "KEY",
        env = "SLUICEGATE_LAME_DUCK_TAINT",
        value_delimiter = ',',
        default_values = TAINTS
    )]
    lame_duck_taint: Vec<Taint>,
}

/// [`Leave::stay`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AfterHandover {
    /// Exit with code 0
    Exit,
    /// Wait for SIGTERM or the end of the successor
    Stay,
}

impl LeaveArgs {
    /// What is meant, where load balancers that can be asked are waited for as long as `balancers_max`.
    pub(crate) fn leave(&self, balancers_max: Duration) -> Leave {
        let can_notice = self.health.is_some() || !balancers_max.is_zero();
        let default = if can_notice { LAME_DUCK_TIME } else { Duration::ZERO };
        let in_a_pod = || std::env::var_os(IN_A_POD).is_some();
        Leave {
            lame_duck_time: self.lame_duck_time.map_or(default, |span| span.0),
            balancers_max,
            taints: self.lame_duck_taint.clone(),
            guard_time: self.guard_time.0,
            stay: self.after_handover.map_or_else(in_a_pod, |what| what == AfterHandover::Stay),
        }
    }
}
