//! Real Kubernetes nodes on this machine: kubelet, containerd and runc in namespaces, beside the control plane of crate
//! `control-plane`.
//!
//! Owns: where these programs come from ([`Programs`]), how a node is started, goes away and leaves nothing behind,
//! and what connects nodes: a bridge, a route to each node's pods, and the address of the Service `kubernetes`.
//! Never: other Services' addresses, since there is no kube-proxy, and names, since there is no DNS; an ingress
//! speaks to endpoints. Nor a registry: images come from archives ([`Cluster::import`]).
//! Start at [`Cluster::start`]. All of it needs root.

mod cgroups;
mod cluster;
mod error;
mod network;
mod node;
mod pod_image;
mod programs;
mod relay;
mod settings;

pub use cluster::Cluster;
pub use error::Error;
pub use node::{Node, signal};
pub use pod_image::POD_IMAGE;
pub use programs::{Programs, build};
