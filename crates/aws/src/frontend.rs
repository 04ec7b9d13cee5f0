//! This node at its load balancers: registered while it serves, and gone from them before it ends.
//!
//! ```text
//! discover ─► Place: a classic balancer, or a target group
//!     │          └► look ─► Health ─► plan ─► Step ─► register, deregister
//!     └─► target::Frontends, for DNS          └─► State, for people
//! ```
//!
//! Owns: which load balancers are ours, what is done at each, how long one is waited for that lets go of us.
//! Never: the phases of the process, which it watches; DNS.
//! Start at [`Keeper`], whose decisions are [`plan`]'s.

mod calls;
mod discover;
mod fault;
mod health;
mod identity;
mod keeper;
mod operation;
mod place;
pub mod plan;
mod select;
mod state;
mod status;

pub use calls::Calls;
pub use fault::{Fault, Kind as FaultKind};
pub use health::Health;
pub use identity::{GivenIdentity, Identity};
pub use keeper::Keeper;
pub use operation::Operation;
pub use place::{At, Kind, Place, Target};
pub use select::{Selector, Tag};
pub use state::{PlaceState, State};
pub use status::{Status, frontends, status};

use std::time::Duration;

use crate::sdk::Settings as Sdk;

/// What is to be done, and how often.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How AWS is reached.
    pub sdk: Sdk,
    /// Which load balancers are ours.
    pub selector: Selector,
    /// What is known of this instance without asking.
    pub identity: GivenIdentity,
    /// The port that target groups are told; by default their own.
    pub port: Option<u16>,
    /// How often each registration is looked at.
    pub interval: Duration,
    /// How long load balancers are waited for, at most, before the process drains.
    pub drain_max: Duration,
    /// How long the process may be kept from being ready until it is in service everywhere; zero: not at all.
    pub ready_wait: Duration,
}
