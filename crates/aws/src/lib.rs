//! This node behind its load balancers, and the DNS records of the hosts that are served.
//!
//! Owns: the plan of Route 53's records, who owns which of them, that this node is registered at its load balancers while it
//! serves, and the adapters for Route 53, for load balancers and for the metadata of this instance.
//! Never: Kubernetes, requests. What it is to do comes as values, what it found out goes as values.
//! Start at [`sdk`], then [`frontend`] and [`dns`].

pub mod dns;
pub mod frontend;
pub mod sdk;
pub mod target;
mod trust;
