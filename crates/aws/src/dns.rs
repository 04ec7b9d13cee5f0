//! The records of hosts in Route 53: each host leads to the load balancer of its scheme.
//!
//! ```text
//! Desired (hosts), Targets ─┐
//! zones ─► ZoneRecords ─────┼─► plan ─► Plan ─► guard ─► apply ─► Route 53
//!          ownership ───────┘           changes, withheld, problems
//! ```
//!
//! Owns: what a record should be, which records are ours (TXT records in the formats of external-dns), what is changed and
//! why, and how that is sent. Never: a record that is not ours; where hosts come from; who may write.
//! Start at [`plan::plan`], which is pure, then [`keeper::Keeper`], which does it again and again.

pub mod name;
pub mod record;

pub mod ownership;
pub mod plan;

pub mod guard;

pub mod api;
pub mod apply;
pub mod cycle;
pub mod keeper;
pub mod pace;
pub mod route53;
pub mod zones;
