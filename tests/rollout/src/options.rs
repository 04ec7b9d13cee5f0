//! How much of everything, and how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Rolls sluicegate out on real nodes under load and counts what clients lose
#[derive(Clone, Debug, Parser)]
#[command(name = "rollout")]
pub(crate) struct Options {
    /// Rollouts of the DaemonSet by `kubectl rollout restart`
    #[arg(long, default_value_t = 3)]
    pub(crate) rollouts: u32,
    /// Nodes that go away with notice; every second one without a taint, by a drain and a graceful shutdown
    #[arg(long, default_value_t = 1)]
    pub(crate) nodes_away: u32,
    /// Rollouts in which a process is killed: by turns the one that takes over and the one that drains
    #[arg(long, default_value_t = 1)]
    pub(crate) kills: u32,
    /// Keep the times of deploy/base as they are shipped; else they are some seconds, so that a run takes minutes
    #[arg(long)]
    pub(crate) shipped_times: bool,
    /// The image, an archive as `cargo xtask image` writes it
    #[arg(long, env = "SLUICEGATE_IMAGE", value_name = "FILE")]
    pub(crate) image: PathBuf,
    /// The folder with the manifests
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base"))]
    pub(crate) manifests: PathBuf,
    /// How often the balancer asks a node for its health
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) health_interval: f64,
    /// How much longer the balancer sends new connections to a node that it knows to be unhealthy
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) balancer_lag: f64,
    /// Clients, of all kinds together
    #[arg(long, default_value_t = 100)]
    pub(crate) clients: u32,
    /// How long an idle client may stay idle; by default 15 with short times and 65 with those that are shipped
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle: Option<f64>,
}

impl Options {
    pub(crate) fn health_interval(&self) -> Duration {
        Duration::from_secs_f64(self.health_interval)
    }

    pub(crate) fn balancer_lag(&self) -> Duration {
        Duration::from_secs_f64(self.balancer_lag)
    }

    /// Shorter than the gate's idle timeout, as that of each client must be that wants nothing lost.
    pub(crate) fn longest_idle(&self) -> Duration {
        Duration::from_secs_f64(self.idle.unwrap_or(if self.shipped_times { 65.0 } else { 15.0 }))
    }
}
