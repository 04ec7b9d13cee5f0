//! What can go wrong with real nodes.

use std::io;
use std::time::Duration;

use control_plane::{Missing, Tail};

/// A node, or what it needs, is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Namespaces, cgroups and mounts are root's.
    #[error(
        "real nodes need root, for namespaces, cgroups and a bridge: run this as root (sudo), or without nodes"
    )]
    NotRoot,
    /// A program of the system is missing.
    #[error("no {name} in {}: run `cargo xtask setup` as root, or install package {package}", places.join(", "))]
    NoProgram {
        /// What was looked for.
        name: &'static str,
        /// Its Debian package.
        package: &'static str,
        /// Where it was looked for.
        places: &'static [&'static str],
    },
    /// Our way to make room for a node's cgroups is that of version 1.
    #[error("no cgroup hierarchies of version 1 are mounted here, and the nodes of tests know no others yet")]
    NoCgroups,
    /// Programs were not built yet.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The control plane, or a system call.
    #[error(transparent)]
    Plane(#[from] control_plane::Error),
    /// A command has failed.
    #[error("`{command}` failed: {stderr}")]
    Command {
        /// As one would type it.
        command: String,
        /// What it said.
        stderr: String,
    },
    /// The node's process 1 has ended before it had started kubelet.
    #[error("{name} could not be set up; {log}")]
    NotSetUp {
        /// The node.
        name: String,
        /// Where its log is and how it ends.
        log: Tail,
    },
    /// The node runs and is not Ready.
    #[error("{name} was not Ready within {limit:?}; {log}")]
    NotReady {
        /// The node.
        name: String,
        /// How long it was waited for.
        limit: Duration,
        /// kubelet's log.
        log: Tail,
    },
    /// A bridge for each number is there.
    #[error("no free number for a bridge: remove those that are left over, with `ip link delete sluice-…`")]
    NoBridge,
    /// A name that is no node's.
    #[error("there is no {0}")]
    NoNode(String),
}

impl Error {
    /// For `map_err`: names what was being done when the system refused.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| control_plane::Error::io(doing)(source).into()
    }
}
