//! Keeps the index of Kubernetes objects, compiles it, publishes what comes of it, and reports what is wrong with it.
//!
//! ```text
//! manifests ────────────────────┐
//!   a folder                    ├─► index ─► compile::compile ─► publish ─► Published<Certificates>,
//! cluster ──► dependency_gate ──┘     ▲                             │       then Published<RouteTable>,
//!   an API server                     │                             │       Published<Vec<Problem>>
//!                                     │                             └─────► report: status, Events of the cluster,
//!                                     └── external_name: DNS answers          written by the Lease's holder
//! ```
//!
//! Owns: the folder of manifests and what is still half written in it; the watches of a cluster and what counts as
//! proof that an object is gone; the index of the last known objects, the names that must be resolved, when a change
//! becomes live; the log of problems, and what is written into the cluster.
//! Never: request types, or a decision about routes; that is [`compile`]'s.
//! Start at [`run`] in `control.rs`; [`Once`] is what there is at one moment, without following it.
//!
//! # What a new kind takes
//!
//! The kinds are listed once, in the table of `kinds.rs`. One more (an `HTTPRoute`, a `Gateway`) takes
//!
//! 1. a field for its objects in `compile::Objects` (`compile/src/objects.rs`), from where compile reads them;
//! 2. a line in the table, with `mod` and `use` above it;
//! 3. `kinds/KIND.rs`, its reader: what of an object is kept (`Prune`), and where it differs from the usual, what it
//!    names, what it bears on, whether it is watched (`Indexed`);
//! 4. the right to `get`, `list` and `watch` it in `deploy/base/rbac.yaml` and `deploy/namespaced/rbac.yaml`.
//!
//! With that it is read from folders, watched in a cluster, held back until what it names is known, kept in the index
//! and named in problems and Events. One whose status we write takes besides a field in `kinds/statuses.rs` for what the
//! status says now, a `Writer` in `report/status/KIND.rs` that is listed in `report/status.rs`, and the right to patch it.

mod control;

mod certificates;
mod cluster;
mod dependency_gate;
mod external_name;
mod fault;
mod manifests;

mod index;
mod kinds;
mod node;
mod once;
mod own_pod;
mod publish;
mod report;
mod stats;
mod wait;

pub mod reasons;

pub use cluster::{Cluster, ConnectError, Namespaces, Secrets, labels};
pub use compile::ObjectKey;
pub use control::{ControllerConfig, Error, Source, run};
pub use manifests::ReadError;
pub use node::Node;
pub use once::Once;
pub use own_pod::OwnPod;
pub use publish::Live;
pub use report::{Address, LeaseName, Publish, Report};
pub use stats::Stats;
