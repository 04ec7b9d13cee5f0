//! The commands for a running process, by its control socket.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::units::SpanOrNone;

/// Which process.
#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// The control socket of the process to ask: its own --control
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_CONTROL")]
    pub(crate) control: PathBuf,
}

/// What a probe asks.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// What to ask
    pub(crate) probe: Probe,

    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// A page whose status means yes or no.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Probe {
    /// Whether it is ready for requests
    Ready,
    /// Whether it answers at all
    Live,
}

/// How a process is drained.
#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    pub(crate) control: ControlArgs,

    /// Serve again instead
    #[arg(long, conflicts_with = "wait")]
    pub(crate) undo: bool,

    /// How long to wait until all clients have left. That takes until load balancers have noticed, and then as long as the
    /// idlest client stays silent (--idle-timeout)
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) wait: SpanOrNone,
}
