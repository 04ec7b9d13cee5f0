//! When a process is ready, when it drains, when it stops, and how its sockets pass to its successor.
//!
//! Owns: the [`Phase`] of the process, readiness by named guard, signals, the [`handover`].
//! Never: connections, routes, Kubernetes; a part of the process that has something to drain watches the phase
//! and does it.
//! Start at [`drain`](drain::drain), which tells what the phases promise; a service that wants the same way out and
//! nothing else starts at [`layer`].

mod balancers;
pub mod drain;
pub mod handover;
pub mod layer;
mod ready;
mod signal;
pub mod socket_path;

pub use balancers::{Balancer, Balancers};
pub use drain::{Phase, Trigger, Watch};
pub use ready::{Readiness, Waiting};
pub use signal::{Signalled, Signals};
