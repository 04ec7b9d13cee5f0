//! Keeps the index of Kubernetes objects, compiles it, publishes what comes of it, and reports what is wrong with it.
//!
//! ```text
//! manifests ──────────┐
//!   a folder          ├─► index ─► compile::compile ─► publish ─► Published<RouteTable>, Published<Vec<Problem>>
//! cluster ──► order ──┘     ▲                             └─────► report: status, Events
//!   an API server           └── external_name: DNS answers         of the cluster, by the Lease's holder
//! ```
//!
//! Owns: the folder of manifests and what is still half written in it; the watches of a cluster and what counts as
//! proof that an object is gone; the index of the last known objects, the names that must be resolved, when a change
//! becomes live; the log of problems, and what is written into the cluster.
//! Never: request types, or a decision about routes; that is [`compile`]'s.
//! Start at [`run`] in `control.rs`; [`read_once`] is the same for a folder without watching.

mod control;

mod cluster;
mod external_name;
mod fault;
mod manifests;
mod order;

mod index;
mod node;
mod publish;
mod report;
mod stats;
mod wait;

pub mod reasons;

pub use cluster::{Cluster, ConnectError, Namespaces, labels};
pub use compile::ObjectKey;
pub use control::{Config, Error, Source, run};
pub use manifests::ReadError;
pub use node::Node;
pub use publish::Live;
pub use report::{Address, LeaseName, Publish, Report};
pub use stats::Stats;

use std::path::Path;
use std::sync::Arc;

use compile::{Compiled, Settings};

/// One pass over a folder, without watching and without DNS: for `check` and `explain`. The problems are those of the
/// files and of the objects, sorted, each with its file.
///
/// # Errors
/// If the folder itself cannot be listed.
pub fn read_once(dir: &Path, settings: &Settings) -> Result<Compiled, ReadError> {
    let mut index = index::Index::default();
    let mut manifests = manifests::Manifests::read(dir.to_owned())?;
    manifests.feed(&mut index);
    let mut compiled = compile::compile(index.objects(), settings, 1);
    let problems = publish::merge(manifests.problems(), &compiled.problems, &index);
    compiled.problems = Arc::new(problems.into_iter().collect());
    Ok(compiled)
}
