//! How the process leaves, and who may ask it to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::{Leave, Taint};
use crate::units::SpanOrNone;

/// For a load balancer that looks every 10 s and believes the second failure, with time to spare.
const LAME_DUCK_TIME: Duration = Duration::from_secs(30);
/// Enough for what goes wrong with the first requests; whoever waits for the end of an old process does not wait for long.
const GUARD_TIME: &str = "10s";
/// Kubernetes sets this in every container.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";
/// What those who take nodes away put on them: cluster-autoscaler, karpenter (1.x, before), AWS' node termination
/// handler, and people who want the same.
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
    /// Answer the health checks of load balancers here, on /ready, and nothing else but /live
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_HEALTH")]
    pub(crate) health: Option<SocketAddr>,

    /// Own this unix socket, for the commands probe, drain and upgrade: this process alone answers there, and only this
    /// user and root can ask. The folder must exist
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_CONTROL")]
    pub(crate) control: Option<PathBuf>,

    /// Take the listening sockets over from the process that owns this unix socket, if there is one, and own it from then
    /// on, so that the next process can do the same. The folder must exist and be seen by both, as must the network
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_HANDOVER")]
    pub(crate) handover: Option<PathBuf>,

    /// What a process does that has handed over and is drained: exit, or stay until it is asked to leave or its successor
    /// is gone. A container that exits is started again, and would take over again; so in a pod it stays
    #[arg(long, value_name = "WHAT", env = "SLUICEGATE_AFTER_HANDOVER")]
    after_handover: Option<AfterHandover>,

    /// How long a process that has handed over is there at least, drained or not, to serve again if its successor dies: a
    /// version that falls over mostly does so at once. Without a client that keeps it longer it exits then
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_GUARD_TIME", default_value = GUARD_TIME)]
    guard_time: SpanOrNone,

    /// How long load balancers may need to notice that /ready fails: their interval times their threshold, and some more.
    /// Asked to leave, the process goes on accepting for this long, or twice this long if somebody new still comes. By
    /// default 30s with --health and 0s without, where nobody could notice
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_LAME_DUCK_TIME")]
    lame_duck_time: Option<SpanOrNone>,

    /// Taints of our own node (--node-name) which mean that it is about to be taken away: /ready fails while it has one, and
    /// clients are told to leave. A * at the end stands for anything
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
    /// End, with exit code 0
    Exit,
    /// Wait for SIGTERM, or for the end of the successor
    Stay,
}

impl LeaveArgs {
    /// What is meant.
    pub(crate) fn leave(&self) -> Leave {
        let default = if self.health.is_some() { LAME_DUCK_TIME } else { Duration::ZERO };
        let in_a_pod = || std::env::var_os(IN_A_POD).is_some();
        Leave {
            lame_duck_time: self.lame_duck_time.map_or(default, |span| span.0),
            taints: self.lame_duck_taint.clone(),
            guard_time: self.guard_time.0,
            stay: self.after_handover.map_or_else(in_a_pod, |what| what == AfterHandover::Stay),
        }
    }
}
